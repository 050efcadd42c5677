using System.Text.Json;

namespace DeRa.Serving.Rewards;

/// <summary>1 where the completion is one JSON value (RFC 8259) with at most white space around it, else 0.</summary>
public sealed class JsonReward : TextReward
{
    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 1000 };

    /// <inheritdoc/>
    public override string Name => "json";

    /// <inheritdoc/>
    protected override RewardScore ScoreOf(Completion completion)
    {
        try
        {
            using var json = JsonDocument.Parse(completion.Text, Options);
            return RewardScore.Of(1);
        }
        catch (JsonException)
        {
            return RewardScore.Of(0);
        }
    }
}
