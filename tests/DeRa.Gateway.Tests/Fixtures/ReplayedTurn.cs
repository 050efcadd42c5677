namespace DeRa.Gateway.Tests.Fixtures;

/// <summary>One request of a replayed conversation, and how it ended.</summary>
/// <param name="Body">What was sent.</param>
/// <param name="Text">What came.</param>
/// <param name="HasFinished">Whether it ended with <c>[DONE]</c>.</param>
/// <param name="HasErrorEvent">Whether an error event ended it.</param>
/// <param name="PromptTokens">Tokens of its prompt; 0 where it did not finish.</param>
/// <param name="CachedTokens">Those that were cached.</param>
internal sealed record ReplayedTurn(
    string Body, string Text, bool HasFinished, bool HasErrorEvent, int PromptTokens, int CachedTokens);
