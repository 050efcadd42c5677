using DeRa.Engine.Requests;
using DeRa.Serving.Requests;
using DeRa.Serving.Rewards;
using DeRa.Serving.Scoring;
using DeRa.Serving.Streaming;

namespace DeRa.Serving.Sweeps;

/// <summary>A pair that is loaded in this process.</summary>
/// <param name="pair">The pair.</param>
/// <param name="settings">What is generated.</param>
public sealed class PairEndpoint(ServedPair pair, SweepSettings settings) : ISweepEndpoint
{
    private readonly GenerationService _generations = new(pair);
    private readonly ScoringService _scoring = new(pair);

    /// <summary>Checks that a prompt can be run at a strength, without running it.</summary>
    /// <exception cref="InvalidRequestException">A value is out of range; the message names it.</exception>
    public void Check(SweepPrompt prompt, double strength) => Prepare(prompt, settings.Seed, [strength], settings.Samples);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<GeneratedText>> GenerateAsync(
        SweepPrompt prompt, long seed, IReadOnlyList<double> strengths, int samples, CancellationToken cancellation)
    {
        var prepared = Prepare(prompt, seed, strengths, samples);
        using var generation = _generations.Start(prepared);
        var choices = await WholeChoice.ReadAsync(generation, cancellation);
        var promptTokens = prepared.Request.Choices[0].Request.PromptTokens;
        return [.. choices.Select(choice => new GeneratedText(choice.Text,
            new CompletionTokens(promptTokens, [.. choice.Tokens.Select(token => token.Token)]),
            choice.FinishReason == FinishReason.Stop))];
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<ScoredText>> ScoreAsync(
        IReadOnlyList<CompletionTokens> texts, double strength, CancellationToken cancellation)
    {
        var scores = await _scoring.RunAsync(_scoring.Prepare(new ScoreInput
        {
            Items = [.. texts.Select(text => new ScoreItem(new TokenPrompt(text.Prompt), new TokenPrompt(text.Generated), "items"))],
            Sweep = [new SweepStrength(strength, null, "alignment_sweep")],
        }), cancellation);
        return [.. scores.Select(score => new ScoredText(score.KlToReference(0), new SequenceLogProbs(
            score.LogProb(0), score.LogProbOfModel(0), score.LogProbOfModel(1))))];
    }

    private PreparedGeneration Prepare(SweepPrompt prompt, long seed, IReadOnlyList<double> strengths, int samples)
    {
        var input = new GenerationInput
        {
            Prompts = [prompt.Input],
            AlignmentSweep = strengths,
            N = samples,
            MaxTokens = settings.MaxTokens,
            Temperature = settings.Temperature,
            Seed = seed,
        };
        return _generations.Prepare(input.WithoutFilters() with { TopP = settings.TopP });
    }
}
