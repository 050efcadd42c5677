namespace DeRa.Cli;

/// <summary>Reads the prompt: the argument itself, or standard input where it is <c>-</c>.</summary>
internal static class PromptArgument
{
    /// <summary>
    /// The prompt. Of standard input one line end at the end is left out: <c>echo</c> adds it, and it would be read as text.
    /// </summary>
    public static async Task<string> ReadAsync(string argument, CancellationToken cancellation)
    {
        if (argument != "-") return argument;
        // Not every input can be cancelled while it is waited for: a terminal cannot.
        var text = await Task.Run(Console.In.ReadToEnd, cancellation).WaitAsync(cancellation);
        return text.EndsWith("\r\n", StringComparison.Ordinal) ? text[..^2] : text.EndsWith('\n') ? text[..^1] : text;
    }
}
