namespace DeRa.Text.Chat;

/// <summary>One turn of a conversation.</summary>
/// <param name="Role">Who speaks: <c>system</c>, <c>developer</c>, <c>user</c>, <c>assistant</c> or <c>tool</c>.</param>
/// <param name="Content">What is said; any text.</param>
public sealed record ChatMessage(string Role, string Content);
