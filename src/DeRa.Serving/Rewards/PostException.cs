namespace DeRa.Serving.Rewards;

/// <summary>A server gave nothing usable.</summary>
/// <param name="message">Why, with the reward's name.</param>
/// <param name="hasResponded">Whether it has responded at all: what was sent may be at fault.</param>
/// <param name="inner">What happened.</param>
internal sealed class PostException(string message, bool hasResponded, Exception? inner) : Exception(message, inner)
{
    /// <summary>Whether the server has responded at all: what was sent may be at fault.</summary>
    public bool HasResponded => hasResponded;
}
