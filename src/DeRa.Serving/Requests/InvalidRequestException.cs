namespace DeRa.Serving.Requests;

/// <summary>
/// A request that its sender must change. Every transport maps it once (HTTP 400 or 404, gRPC INVALID_ARGUMENT or NOT_FOUND).
/// </summary>
/// <param name="field">The field as the wire names it (<c>alignment_strength</c>, <c>stop[2]</c>).</param>
/// <param name="message">What is wrong and what is allowed. Of this and of the field at most 700 characters are kept: either may
/// repeat what the client sent, and some transports hold errors of a few kilobytes only.</param>
/// <param name="code">A code that clients read, such as <c>context_length_exceeded</c>; null for a plain bad value.</param>
public sealed class InvalidRequestException(string field, string message, string? code = null)
    : Exception(Excerpt.Of(message))
{
    /// <summary>The prompt and the tokens asked for are more than the context holds.</summary>
    public const string ContextLengthExceeded = "context_length_exceeded";

    /// <summary>No model of that name is served.</summary>
    public const string ModelNotFound = "model_not_found";

    /// <summary>The field as the wire names it.</summary>
    public string Field { get; } = Excerpt.Of(field);

    /// <summary>A code that clients read; null for a plain bad value.</summary>
    public string? Code { get; } = code;
}
