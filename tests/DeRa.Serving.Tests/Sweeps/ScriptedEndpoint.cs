using System.Globalization;
using DeRa.Serving.Rewards;
using DeRa.Serving.Sweeps;

namespace DeRa.Serving.Tests.Sweeps;

/// <summary>An endpoint whose completions say by which strength, seed and sample they were made.</summary>
/// <param name="samples">Completions of a prompt at a strength.</param>
internal sealed class ScriptedEndpoint(int samples) : ISweepEndpoint
{
    private int _generated;

    /// <summary>Completions so far.</summary>
    public int Generated => _generated;

    public Task<IReadOnlyList<GeneratedText>> GenerateAsync(
        SweepPrompt prompt, long seed, IReadOnlyList<double> strengths, CancellationToken cancellation)
    {
        Interlocked.Add(ref _generated, strengths.Count * samples);
        return Task.FromResult<IReadOnlyList<GeneratedText>>([.. from strength in strengths
            from sample in Enumerable.Range(0, samples)
            select new GeneratedText(string.Create(CultureInfo.InvariantCulture, $"{strength} {seed} {sample}"),
                new CompletionTokens([1], [2, 3]), false)]);
    }

    public Task<IReadOnlyList<double>> KlToReferenceAsync(
        IReadOnlyList<CompletionTokens> texts, double strength, CancellationToken cancellation) =>
        Task.FromResult<IReadOnlyList<double>>([.. texts.Select(_ => strength * strength)]);
}
