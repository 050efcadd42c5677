namespace DeRa.Cli.Bench.Serve;

/// <summary>Adds up what became of requests. Any thread.</summary>
/// <param name="goodput">What a good request meets; null = nothing is asked.</param>
internal sealed class ServeMeasurements(Goodput? goodput)
{
    private readonly Lock _gate = new();
    private readonly List<double> _firstToken = [], _perToken = [], _betweenTokens = [], _whole = [];
    private readonly SortedDictionary<string, int> _failures = new(StringComparer.Ordinal);
    private int _requests, _interrupted, _good, _completedConversations, _outgrown;
    private long _outputTokens, _promptTokens, _promptTokensWithCache, _cachedTokens;

    /// <summary>Requests that have ended, how many of them failed, and tokens of replies.</summary>
    public (int Requests, int Failed, long OutputTokens) Totals
    {
        get
        {
            lock (_gate) return (_requests, _failures.Values.Sum(), _outputTokens);
        }
    }

    /// <summary>A request has ended, or the measurement has. Of one that was interrupted what had come counts, but no end.</summary>
    public void Add(ServeRequest request)
    {
        lock (_gate)
        {
            if (request.IsInterrupted) _interrupted++;
            else _requests++;
            if (request.Failure is { } failure) _failures[failure] = _failures.GetValueOrDefault(failure) + 1;
            if (request.FirstTokenSeconds is { } first) _firstToken.Add(first);
            if (request.SecondsPerToken is { } perToken) _perToken.Add(perToken);
            if (request.Seconds is { } whole) _whole.Add(whole);
            if (goodput?.IsMetBy(request) == true) _good++;
            _betweenTokens.AddRange(request.GapSeconds);
            _outputTokens += request.OutputTokens;
            _promptTokens += request.PromptTokens;
            if (request.CachedTokens is not { } cached) return;
            _promptTokensWithCache += request.PromptTokens;
            _cachedTokens += cached;
        }
    }

    /// <summary>A conversation has had all its turns.</summary>
    public void Completed()
    {
        lock (_gate) _completedConversations++;
    }

    /// <summary>A conversation has ended because it no longer fitted into the model's context.</summary>
    public void OutgrewContext()
    {
        lock (_gate) _outgrown++;
    }

    /// <summary>The figures.</summary>
    /// <param name="options">The load.</param>
    /// <param name="seconds">How long it took.</param>
    public ServeReport Report(ServeOptions options, double seconds)
    {
        lock (_gate)
            return new ServeReport
            {
                Options = options,
                Seconds = seconds,
                Requests = _requests,
                Interrupted = _interrupted,
                CompletedConversations = _completedConversations,
                OutgrownConversations = _outgrown,
                Failures = new Dictionary<string, int>(_failures),
                OutputTokens = _outputTokens,
                PromptTokens = _promptTokens,
                CachedShare = _promptTokensWithCache > 0 ? (double)_cachedTokens / _promptTokensWithCache : null,
                GoodRequests = goodput is null ? null : _good,
                FirstToken = Percentiles.Of(_firstToken),
                PerToken = Percentiles.Of(_perToken),
                BetweenTokens = Percentiles.Of(_betweenTokens),
                WholeRequest = Percentiles.Of(_whole),
            };
    }
}
