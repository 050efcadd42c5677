using DeRa.Serving.Rewards;

namespace DeRa.Serving.Sweeps;

/// <summary>A pair of models that generates and scores: one in this process, or a server's. Any thread, several calls at once.</summary>
public interface ISweepEndpoint
{
    /// <summary>Generates completions of a prompt at some of the strengths.</summary>
    /// <param name="prompt">The prompt.</param>
    /// <param name="seed">The seed of the draws.</param>
    /// <param name="strengths">1 to <see cref="SweepRun.MaxStrengths"/> strengths.</param>
    /// <param name="samples">Completions at each, 1 to <see cref="SweepSettings.MaxSamples"/>.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>Strength by strength, of each its samples in order.</returns>
    Task<IReadOnlyList<GeneratedText>> GenerateAsync(
        SweepPrompt prompt, long seed, IReadOnlyList<double> strengths, int samples, CancellationToken cancellation);

    /// <summary>Scores generated tokens, at temperature 1 without filters.</summary>
    /// <param name="texts">1 to <see cref="SweepSettings.MaxSamples"/> texts.</param>
    /// <param name="strength">The mixture's strength.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>One a text, in their order.</returns>
    Task<IReadOnlyList<ScoredText>> ScoreAsync(IReadOnlyList<CompletionTokens> texts, double strength, CancellationToken cancellation);
}
