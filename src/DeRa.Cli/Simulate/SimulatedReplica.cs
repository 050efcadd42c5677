namespace DeRa.Cli.Simulate;

/// <summary>
/// A replica: so many requests run at once, the others wait in their order; prompts are read one after the other, what its cache holds of
/// them not at all; replies come at a steady pace.
/// </summary>
internal sealed class SimulatedReplica
{
    private const int Slots = 16, CacheTokens = 100_000;
    private const double PromptTokensPerSecond = 10_000, SecondsPerToken = .02;

    private readonly SimulatedCache _cache = new(CacheTokens);
    private readonly Queue<SimulatedRequest> _waiting = new();
    private double _readerIsFree;
    private int _running;

    /// <summary>A request comes. Returns those that begin now.</summary>
    public IEnumerable<SimulatedRequest> Submit(SimulatedRequest request, double now)
    {
        _waiting.Enqueue(request);
        return Begin(now);
    }

    /// <summary>One has ended. Returns those that begin now.</summary>
    public IEnumerable<SimulatedRequest> End(double now)
    {
        _running--;
        return Begin(now);
    }

    private IEnumerable<SimulatedRequest> Begin(double now)
    {
        while (_running < Slots && _waiting.TryDequeue(out var request))
        {
            _running++;
            request.CachedTokens = _cache.Read(request.Conversation, request.PromptTokens, request.ReplyTokens);
            _readerIsFree = Math.Max(now, _readerIsFree) + (request.PromptTokens - request.CachedTokens) / PromptTokensPerSecond;
            request.FirstTokenAt = _readerIsFree;
            request.EndsAt = _readerIsFree + request.ReplyTokens * SecondsPerToken;
            yield return request;
        }
    }
}

/// <summary>One turn that is under way.</summary>
/// <param name="Conversation">Whose.</param>
/// <param name="PromptTokens">All that it sends.</param>
/// <param name="ReplyTokens">What it gets.</param>
/// <param name="Replica">Where it runs.</param>
/// <param name="ArrivedAt">When it came, in seconds.</param>
/// <param name="Counts">Whether it is measured.</param>
internal sealed record SimulatedRequest(
    SimulatedConversation Conversation, int PromptTokens, int ReplyTokens, int Replica, double ArrivedAt, bool Counts)
{
    /// <summary>Tokens of its prompt that were cached.</summary>
    public int CachedTokens { get; set; }

    /// <summary>When its first token comes.</summary>
    public double FirstTokenAt { get; set; }

    /// <summary>When its last one does.</summary>
    public double EndsAt { get; set; }
}
