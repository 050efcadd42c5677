using DeRa.Gateway.Balancing;

namespace DeRa.Cli.Simulate;

/// <summary>
/// The gateway's own policy before replicas that are simulated event by event. The gateway knows what it has sent where, and nothing
/// else: one gateway whose replicas report nothing beyond.
/// </summary>
internal sealed class Simulation
{
    /// <summary>About how many bytes of text a token stands for.</summary>
    private const int BytesPerToken = 4;

    private const double SampleSeconds = 1;

    private readonly SimulationOptions _options;
    private readonly ConversationTraffic _traffic;
    private readonly IBalancingPolicy _policy;
    private readonly Candidate[] _candidates;
    private readonly SimulatedReplica[] _replicas;
    private readonly PriorityQueue<Action<double>, (double At, long Order)> _events = new();
    private readonly List<SimulatedRequest> _counted = [];
    private readonly List<double> _maxOverMean = [];
    private readonly int _total;
    private long _order;
    private int _arrived, _ended, _firstChoices;

    private Simulation(SimulationOptions options)
    {
        (_options, _traffic) = (options, new ConversationTraffic(options));
        _policy = Policies.Create(options.Policy, (ulong)options.Seed);
        _candidates = Candidates(options.Replicas);
        _replicas = [.. _candidates.Select(_ => new SimulatedReplica())];
        _total = options.Replicas * options.RequestsPerReplica;
    }

    /// <summary>Runs one to its end. The same options give the same report.</summary>
    public static SimulationReport Run(SimulationOptions options, CancellationToken cancellation) =>
        new Simulation(options).Run(cancellation);

    private SimulationReport Run(CancellationToken cancellation)
    {
        At(0, BeginConversation);
        At(SampleSeconds, Sample);
        while (_ended < _total && _events.TryDequeue(out var next, out var when))
        {
            cancellation.ThrowIfCancellationRequested();
            next(when.At);
        }
        return Report();
    }

    private void At(double time, Action<double> happens) => _events.Enqueue(happens, (time, _order++));

    private void BeginConversation(double now)
    {
        if (_arrived >= _total) return;
        var rate = _options.Rate * _options.Replicas / ConversationTraffic.MeanTurns;
        At(now + _traffic.GapSeconds(rate), BeginConversation);
        Arrive(_traffic.Next(), now);
    }

    private void Arrive(SimulatedConversation conversation, double now)
    {
        if (_arrived++ >= _total) return;
        var counts = _arrived > _total / 2;
        var choice = _policy.Choose(Key(conversation), _candidates);
        if (choice.IsFirst && counts) _firstChoices++;
        _candidates[choice.Index] = _candidates[choice.Index] with { Load = _candidates[choice.Index].Load + 1 };
        var prompt = conversation.PrefixTokens + conversation.HistoryTokens + ConversationTraffic.TurnTokens;
        var request = new SimulatedRequest(conversation, prompt, _traffic.ReplyTokens(), choice.Index, now, counts);
        Begin(_replicas[choice.Index].Submit(request, now));
    }

    private void Begin(IEnumerable<SimulatedRequest> requests)
    {
        foreach (var request in requests) At(request.EndsAt, now => End(request, now));
    }

    private void End(SimulatedRequest request, double now)
    {
        _ended++;
        if (request.Counts) _counted.Add(request);
        ref var candidate = ref _candidates[request.Replica];
        candidate = candidate with { Load = candidate.Load - 1 };
        Begin(_replicas[request.Replica].End(now));
        var conversation = request.Conversation;
        conversation.HistoryTokens = request.PromptTokens + request.ReplyTokens - conversation.PrefixTokens;
        if (_traffic.HasAnotherTurn()) At(now + _traffic.PauseSeconds(), later => Arrive(conversation, later));
    }

    private void Sample(double now)
    {
        if (_arrived >= _total) return;
        var mean = _candidates.Average(candidate => candidate.Load);
        if (_arrived > _total / 2 && mean > 0) _maxOverMean.Add(_candidates.Max(candidate => candidate.Load) / mean);
        At(now + SampleSeconds, Sample);
    }

    /// <summary>Instructions that are longer than what counts are all of a key; with shorter ones the first turn is part of it.</summary>
    private ulong Key(SimulatedConversation conversation)
    {
        var isShared = conversation.PrefixTokens * BytesPerToken >= _options.PrefixBytes;
        return RendezvousHash.Score((ulong)conversation.Prefix, isShared ? ulong.MaxValue : (ulong)conversation.Id);
    }

    private SimulationReport Report()
    {
        var firsts = _counted.Select(request => request.FirstTokenAt - request.ArrivedAt).Order().ToList();
        var totals = _counted.Select(request => request.EndsAt - request.ArrivedAt).Order().ToList();
        var isAffine = _options.Policy == PolicyName.PrefixAffinity;
        return new SimulationReport(_options, _counted.Count,
            _counted.Sum(request => (double)request.CachedTokens) / _counted.Sum(request => (double)request.PromptTokens),
            _firstChoices / (double)_counted.Count, _maxOverMean.DefaultIfEmpty(1).Average(),
            Quantile(firsts, .5), Quantile(firsts, .99), Quantile(totals, .99),
            isAffine && _options.Replicas > 1 ? Moved(_options.Replicas - 1) : null, isAffine ? Moved(_options.Replicas + 1) : null);
    }

    /// <summary>The part of keys that come to another replica first where there are so many.</summary>
    private double Moved(int replicas)
    {
        const int keys = 20_000;
        var (before, after) = (Candidates(_options.Replicas), Candidates(replicas));
        Span<int> first = stackalloc int[1];
        var moved = 0;
        for (var key = 0; key < keys; key++)
        {
            var hash = RendezvousHash.Score((ulong)key, (ulong)_options.Seed);
            RendezvousHash.Order(hash, before, first);
            var old = first[0];
            RendezvousHash.Order(hash, after, first);
            if (old != first[0]) moved++;
        }
        return moved / (double)keys;
    }

    private static Candidate[] Candidates(int count) =>
        [.. Enumerable.Range(0, count).Select(i => new Candidate(RendezvousHash.OfName($"http://replica-{i}:8080"), 0))];

    private static double Quantile(List<double> sorted, double share) => sorted[(int)(share * (sorted.Count - 1))];
}
