namespace DeRa.Text.Templates.Values;

/// <summary>A chat template that cannot be read or rendered, or that refuses a conversation by <c>raise_exception</c>.</summary>
public sealed class ChatTemplateException : Exception
{
    private readonly string _complaint;

    /// <summary>A fault of the template, or of what it was given.</summary>
    /// <param name="message">What is wrong.</param>
    /// <param name="line">The line of the template, from 1; null where it is not known.</param>
    public ChatTemplateException(string message, int? line = null) : this(message, line, raised: false)
    {
    }

    private ChatTemplateException(string complaint, int? line, bool raised)
        : base(line is null ? complaint : $"line {line}: {complaint}") => (_complaint, Line, IsRaised) = (complaint, line, raised);

    /// <summary>The line of the template, from 1; null where it is not known or the template raised the error itself.</summary>
    public int? Line { get; }

    /// <summary>Whether the template raised it: the message is then the template's own text, for whoever wrote the messages.</summary>
    public bool IsRaised { get; }

    /// <summary>What the template itself raises.</summary>
    internal static ChatTemplateException Raised(string message) => new(message, null, raised: true);

    /// <summary>The same with its line, where it has none yet.</summary>
    internal ChatTemplateException At(int line) =>
        IsRaised || Line is not null ? this : new ChatTemplateException(_complaint, line, raised: false);
}
