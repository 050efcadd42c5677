using DeRa.Serving.Requests;
using DeRa.Serving.Scoring;
using DeRa.Serving.Streaming;

namespace DeRa.Serving.Merging;

/// <summary>
/// How far a mixture of two models is from one model that is to stand for it: nats for each token of the mixture's own texts.
/// </summary>
/// <param name="Texts">How many texts were drawn from the mixture, at temperature 1 without filters.</param>
/// <param name="Tokens">Their tokens.</param>
/// <param name="ToMerged">KL(mixture ‖ merged model), exact at each place of the texts.</param>
/// <param name="ToReference">KL(mixture ‖ reference model), by the log-ratios of the texts' own tokens.</param>
/// <param name="ToAligned">KL(mixture ‖ aligned model), likewise.</param>
public sealed record MergeDistance(int Texts, int Tokens, double ToMerged, double ToReference, double ToAligned)
{
    /// <summary>Names for the two models where the merged one is the pair's reference.</summary>
    public const string First = "first", Second = "second";

    private const int Samples = 4, ItemsAtOnce = 64;

    /// <summary>Beginnings for models of any kind.</summary>
    public static IReadOnlyList<string> Prompts { get; } =
    [
        "The", "Once upon a time", "In this paper we", "She said", "How do I", "The best way to", "I think that", "Yesterday",
        "One day, a little", "To begin with,", "He was", "There are three", "It is", "A good friend", "We", "When the sun",
    ];

    /// <summary>Measures it.</summary>
    /// <param name="pair">
    /// The merged model as the reference, and the two models between which it lies as <see cref="First"/> and <see cref="Second"/>: with
    /// strengths that sum to 1 the merged one does not weigh.
    /// </param>
    /// <param name="prompts">Beginnings, at least one; texts or conversations.</param>
    /// <param name="strength">The mixture's λ.</param>
    /// <param name="maxTokens">Tokens of a text at most, without its prompt.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="InvalidRequestException">A prompt is too long.</exception>
    public static async Task<MergeDistance> MeasureAsync(
        ServedPair pair, IReadOnlyList<PromptInput> prompts, double strength, int maxTokens, CancellationToken cancellation)
    {
        var mixture = new Dictionary<string, double> { [First] = 1 - strength, [Second] = strength };
        var (generations, scoring) = (new GenerationService(pair), new ScoringService(pair));
        var scores = new List<ItemScores>();
        foreach (var own in prompts.Chunk(ItemsAtOnce / Samples))
        {
            var prepared = generations.Prepare(new GenerationInput
            {
                Prompts = own,
                NamedStrengths = mixture,
                N = Samples,
                MaxTokens = maxTokens,
                Temperature = 1,
                Seed = scores.Count,
            }.WithoutFilters());
            using var generation = generations.Start(prepared);
            var choices = await WholeChoice.ReadAsync(generation, cancellation);
            ScoreItem[] items = [.. choices.Zip(prepared.Request.Choices, (choice, request) => new ScoreItem(
                new TokenPrompt(request.Request.PromptTokens),
                new TokenPrompt([.. choice.Tokens.Select(token => token.Token)]), "prompts"))];
            scores.AddRange(await scoring.RunAsync(scoring.Prepare(new ScoreInput
            {
                Items = items,
                Sweep = [new SweepStrength(null, mixture, "strength")],
            }), cancellation));
        }
        var tokens = scores.Sum(score => score.Tokens.Count);
        return new MergeDistance(scores.Count, tokens, scores.Sum(score => score.KlToReference(0)) / tokens,
            scores.Sum(score => score.LogProb(0) - score.LogProbOfModel(1)) / tokens,
            scores.Sum(score => score.LogProb(0) - score.LogProbOfModel(2)) / tokens);
    }
}
