namespace DeRa.Cli.Simulate;

/// <summary>What a replica has cached: instructions, and histories of conversations, which need theirs. The least recently used go first.</summary>
/// <param name="capacity">Tokens that it holds; more while a single request needs more.</param>
internal sealed class SimulatedCache(int capacity)
{
    private readonly Dictionary<(bool IsPrefix, int Id), LinkedListNode<(bool IsPrefix, int Id, int Tokens)>> _entries = [];
    private readonly LinkedList<(bool IsPrefix, int Id, int Tokens)> _byUse = new();
    private int _tokens;

    /// <summary>Tokens that it holds.</summary>
    public int Tokens => _tokens;

    /// <summary>Reads a prompt into it. Returns how many of its tokens were there.</summary>
    /// <param name="conversation">Whose.</param>
    /// <param name="promptTokens">All of the prompt.</param>
    /// <param name="replyTokens">What is added to it.</param>
    public int Read(SimulatedConversation conversation, int promptTokens, int replyTokens)
    {
        var cached = 0;
        if (_entries.TryGetValue((true, conversation.Prefix), out var prefix))
        {
            cached = prefix.Value.Tokens;
            if (_entries.TryGetValue((false, conversation.Id), out var history)) cached += history.Value.Tokens;
        }
        Put(true, conversation.Prefix, conversation.PrefixTokens);
        Put(false, conversation.Id, promptTokens + replyTokens - conversation.PrefixTokens);
        while (_tokens > capacity && _byUse.Count > 2) Remove(_byUse.First!);
        return cached;
    }

    private void Put(bool isPrefix, int id, int tokens)
    {
        if (_entries.TryGetValue((isPrefix, id), out var old)) Remove(old);
        _entries[(isPrefix, id)] = _byUse.AddLast((isPrefix, id, tokens));
        _tokens += tokens;
    }

    private void Remove(LinkedListNode<(bool IsPrefix, int Id, int Tokens)> entry)
    {
        _byUse.Remove(entry);
        _entries.Remove((entry.Value.IsPrefix, entry.Value.Id));
        _tokens -= entry.Value.Tokens;
    }
}
