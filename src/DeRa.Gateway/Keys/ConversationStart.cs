namespace DeRa.Gateway.Keys;

/// <summary>
/// The part of a conversation that counts: all messages up to the first of a user. Each later turn begins with them, so that a
/// conversation stays where its first turn went, however short that was.
/// </summary>
/// <param name="key">Receives them.</param>
internal sealed class ConversationStart(RoutingKey key)
{
    private const string User = "user";
    private bool _isComplete;

    /// <summary>Whether later messages change nothing.</summary>
    public bool IsComplete => _isComplete || key.IsFull;

    /// <summary>Begins a message.</summary>
    /// <param name="role">Who speaks.</param>
    public void Add(string role)
    {
        key.Add(role);
        key.EndPart();
        _isComplete = role == User;
    }

    /// <summary>Ends it.</summary>
    public void End() => key.EndPart();
}
