namespace DeRa.Benchmarks.Load;

/// <summary>Adds up what became of requests. Any thread.</summary>
internal sealed class LoadMeasurements
{
    private readonly Lock _lock = new();
    private readonly List<double> _firstToken = [], _betweenTokens = [], _whole = [];
    private readonly SortedDictionary<string, int> _failures = new(StringComparer.Ordinal);
    private int _requests, _cutOff, _completed, _outgrown;
    private long _outputTokens, _promptTokens, _promptTokensWithCache, _cachedTokens;

    /// <summary>Requests that have ended, how many of them failed, and tokens of replies.</summary>
    public (int Requests, int Failed, long OutputTokens) Totals
    {
        get
        {
            lock (_lock) return (_requests, _failures.Values.Sum(), _outputTokens);
        }
    }

    /// <summary>A request has ended, or the load has. Of one that was cut off what had come counts, but no end.</summary>
    public void Add(ChatTurn turn)
    {
        lock (_lock)
        {
            if (turn.IsCutOff) _cutOff++;
            else _requests++;
            if (turn.Failure is { } failure) _failures[failure] = _failures.GetValueOrDefault(failure) + 1;
            if (turn.FirstTokenSeconds is { } first) _firstToken.Add(first);
            if (turn.Seconds is { } whole) _whole.Add(whole);
            _betweenTokens.AddRange(turn.GapSeconds);
            _outputTokens += turn.OutputTokens;
            _promptTokens += turn.PromptTokens;
            if (turn.CachedTokens is not { } cached) return;
            _promptTokensWithCache += turn.PromptTokens;
            _cachedTokens += cached;
        }
    }

    /// <summary>A conversation has had all its turns.</summary>
    public void Completed()
    {
        lock (_lock) _completed++;
    }

    /// <summary>A conversation has ended because it no longer fitted into the model's context.</summary>
    public void OutgrewContext()
    {
        lock (_lock) _outgrown++;
    }

    /// <summary>The figures.</summary>
    /// <param name="options">The load.</param>
    /// <param name="seconds">How long it took.</param>
    public LoadReport Report(LoadOptions options, double seconds)
    {
        lock (_lock)
            return new LoadReport
            {
                Options = options,
                Seconds = seconds,
                Requests = _requests,
                CutOff = _cutOff,
                CompletedConversations = _completed,
                OutgrownConversations = _outgrown,
                Failures = new Dictionary<string, int>(_failures),
                OutputTokensPerSecond = _outputTokens / seconds,
                PromptTokensPerSecond = _promptTokens / seconds,
                CachedShare = _promptTokensWithCache > 0 ? (double)_cachedTokens / _promptTokensWithCache : null,
                FirstToken = Percentiles.Of(_firstToken),
                BetweenTokens = Percentiles.Of(_betweenTokens),
                WholeRequest = Percentiles.Of(_whole),
            };
    }
}
