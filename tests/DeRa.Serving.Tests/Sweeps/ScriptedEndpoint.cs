using System.Collections.Concurrent;
using System.Globalization;
using DeRa.Serving.Requests;
using DeRa.Serving.Rewards;
using DeRa.Serving.Sweeps;

namespace DeRa.Serving.Tests.Sweeps;

/// <summary>An endpoint whose completions say by which strength, seed and sample they were made.</summary>
internal sealed class ScriptedEndpoint : ISweepEndpoint
{
    private int _generated;

    /// <summary>The messages of each chat, one request each.</summary>
    public ConcurrentBag<string> Conversations { get; } = [];

    /// <summary>Completions so far.</summary>
    public int Generated => _generated;

    public Task<IReadOnlyList<GeneratedText>> GenerateAsync(
        SweepPrompt prompt, long seed, IReadOnlyList<double> strengths, int samples, CancellationToken cancellation)
    {
        if (prompt.Input is ChatPrompt chat) Conversations.Add(string.Join('|', chat.Messages.Select(message => message.Content)));
        Interlocked.Add(ref _generated, strengths.Count * samples);
        return Task.FromResult<IReadOnlyList<GeneratedText>>([.. from strength in strengths
            from sample in Enumerable.Range(0, samples)
            select new GeneratedText(string.Create(CultureInfo.InvariantCulture, $"{strength} {seed} {sample}"),
                new CompletionTokens([1], [2, 3]), false)]);
    }

    public Task<IReadOnlyList<ScoredText>> ScoreAsync(
        IReadOnlyList<CompletionTokens> texts, double strength, CancellationToken cancellation) =>
        Task.FromResult<IReadOnlyList<ScoredText>>([.. texts.Select(
            _ => new ScoredText(strength * strength, new SequenceLogProbs(-1, -1, -1)))]);
}
