using System.Collections;
using System.Globalization;
using System.Text;

namespace DeRa.Hosting.Telemetry;

/// <summary>
/// What the log says of one request: a line of text for people, named fields for programs. A field that a request does not have is left
/// out.
/// </summary>
public abstract class RequestLogLine : IReadOnlyList<KeyValuePair<string, object?>>
{
    /// <summary>Characters of a text that a client sent, at most.</summary>
    protected const int MaxTextLength = 200;

    /// <summary>The status of a request whose client has gone before any response, as nginx counts it.</summary>
    protected const int ClientClosedRequest = 499;

    private readonly List<KeyValuePair<string, object?>> _fields = new(16);
    private readonly StringBuilder _text = new(256);

    /// <inheritdoc/>
    public int Count => _fields.Count;

    /// <inheritdoc/>
    public KeyValuePair<string, object?> this[int index] => _fields[index];

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<string, object?>> GetEnumerator() => _fields.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <inheritdoc/>
    public override string ToString() => _text.ToString();

    /// <summary>Adds a field.</summary>
    /// <param name="name">Its name, for programs.</param>
    /// <param name="label">What stands before the value in the text.</param>
    /// <param name="value">The value; null = the request has none.</param>
    protected void Add(string name, string label, object? value)
    {
        if (value is null) return;
        _fields.Add(new(name, value));
        if (_text.Length > 0) _text.Append(' ');
        _text.Append(CultureInfo.InvariantCulture, $"{label}{value}");
    }

    /// <summary>Milliseconds to a tenth.</summary>
    protected static double Milliseconds(TimeSpan time) => Math.Round(time.TotalMilliseconds, 1);
}
