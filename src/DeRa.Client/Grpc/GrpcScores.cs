using DeRa.Client.Alignment;
using DeRa.Protos.V1;
using ItemScores = DeRa.Client.Alignment.ItemScores;
using ScoreItem = DeRa.Client.Alignment.ScoreItem;
using StrengthScore = DeRa.Client.Alignment.StrengthScore;
using WireItem = DeRa.Protos.V1.ScoreItem;
using WireScores = DeRa.Protos.V1.ItemScores;

namespace DeRa.Client.Grpc;

/// <summary>Makes requests of <c>Score</c> and reads their responses.</summary>
internal static class GrpcScores
{
    /// <summary>A request.</summary>
    public static ScoreRequest Of(IEnumerable<ScoreItem> items, IEnumerable<double> strengths, ScoreOptions? options)
    {
        var request = new ScoreRequest { PerToken = options?.PerToken ?? false };
        request.Items.AddRange(items.Select(Item));
        request.AlignmentSweep.AddRange(strengths.Select(strength => new ScoredStrength { AlignmentStrength = strength }));
        if (options?.Model is { } model) request.Model = model;
        if (options?.CacheSalt is { } salt) request.CacheSalt = salt;
        return request;
    }

    /// <summary>A response.</summary>
    public static IReadOnlyList<ItemScores> Read(ScoreResponse response, IReadOnlyList<double> strengths) =>
        [.. response.Items.Select(item => Item(item, strengths))];

    private static WireItem Item(ScoreItem item)
    {
        if (item.Conversation is { } conversation)
            return new WireItem { Prompt = new Prompt { Messages = GrpcFields.Conversation(conversation) } };
        var message = new WireItem
        {
            Prompt = item.PromptTokens is { } prompt ? new Prompt { TokenIds = new TokenIds { Ids = { prompt } } }
                : new Prompt { Text = item.PromptText },
        };
        if (item.ContinuationTokens is { } continuation) message.TokenIds = new TokenIds { Ids = { continuation } };
        else message.Text = item.ContinuationText;
        return message;
    }

    private static ItemScores Item(WireScores item, IReadOnlyList<double> strengths) => new()
    {
        TokenCount = item.Tokens,
        LogProbReference = item.LogprobReference,
        LogProbAligned = item.LogprobAligned.First().Value,
        LogProbsAligned = item.LogprobAligned.ToDictionary(),
        Scores = [.. item.Scores.Select((score, i) => new StrengthScore(
            strengths[i], score.Logprob, score.Perplexity, score.KlToReference, [.. score.TokenLogprobs]))],
        TokenIds = [.. item.TokenIds],
    };
}
