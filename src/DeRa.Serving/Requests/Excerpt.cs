namespace DeRa.Serving.Requests;

/// <summary>Keeps texts that repeat what a client sent at a length that every transport's errors can hold.</summary>
internal static class Excerpt
{
    private const int Head = 400;
    private const int Tail = 250;

    /// <summary>The text; of a long one the beginning and the end, where errors say what is allowed.</summary>
    public static string Of(string text)
    {
        if (text.Length <= Head + Tail) return text;
        var head = char.IsHighSurrogate(text[Head - 1]) ? Head - 1 : Head;
        var tail = char.IsLowSurrogate(text[^Tail]) ? Tail - 1 : Tail;
        return $"{text.AsSpan(0, head)} ({text.Length - head - tail} characters left out) {text.AsSpan(text.Length - tail)}";
    }
}
