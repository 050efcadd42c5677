using System.Text.Json;

namespace DeRa.Serving.Rewards;

/// <summary>What a scoring server is sent, and where its scores are.</summary>
/// <param name="Name">By which it is asked for.</param>
/// <param name="Body">Makes the body.</param>
/// <param name="Scores">The scores in a response, in the order of the completions; null = there are none.</param>
/// <param name="Response">What a response looks like, for errors.</param>
internal sealed record ScoringForm(
    string Name, Func<IReadOnlyList<Completion>, object> Body, Func<JsonElement, IEnumerable<JsonElement>?> Scores, string Response)
{
    /// <summary>Ours: {"completions": [{"prompt", "completion", "tokens", "finished"}, …]} → {"scores": [0.5, …]}.</summary>
    public static ScoringForm Completions { get; } = new("completions",
        completions => new { completions = completions.Select(ScoreLine.Of) },
        response => Array(response, "scores"), """{"scores": [number, …]}""");

    /// <summary>{"prompts": […], "completions": […]} → {"scores": [0.5, …]} or [0.5, …].</summary>
    public static ScoringForm Plain { get; } = new("plain",
        completions => new { prompts = completions.Select(Prompt), completions = completions.Select(Text) },
        response => Entries(response) ?? Array(response, "scores"),
        """{"scores": [number, …]} or [number, …]""");

    /// <summary>
    /// vLLM's <c>/pooling</c>: {"input": [prompt + completion, …]} → {"data": [{"index": 0, "data": [0.5]}, …]}. Of one that has a number
    /// for each token the last counts.
    /// </summary>
    public static ScoringForm Pooling { get; } = new("pooling",
        completions => new { input = completions.Select(Whole) },
        response => Array(response, "data")?.Select((entry, place) => (Place: Place(entry, place), Score: Last(Field(entry, "data"))))
            .OrderBy(entry => entry.Place).Select(entry => entry.Score), """{"data": [{"index", "data": [number]}, …]}""");

    /// <summary>
    /// OpenRLHF's <c>/get_reward</c>: {"query": [prompt + completion, …], "prompts": […], "labels": […]} → {"rewards": [0.5, …]}.
    /// A label is the item, or null.
    /// </summary>
    public static ScoringForm GetReward { get; } = new("get_reward",
        completions => new
        {
            query = completions.Select(Whole),
            prompts = completions.Select(Prompt),
            labels = completions.Select(completion => completion.Item),
        },
        response => Array(response, "rewards")?.Select(Last), """{"rewards": [number, …]}""");

    /// <summary>All of them.</summary>
    public static IReadOnlyList<ScoringForm> All { get; } = [Completions, Plain, Pooling, GetReward];

    /// <summary>The form that an address asks for: by its fragment, else by the end of its path, else <see cref="Completions"/>.</summary>
    /// <exception cref="RewardException">The fragment is none of them.</exception>
    public static ScoringForm Of(Uri address)
    {
        var path = address.AbsolutePath.TrimEnd('/').Split('/')[^1];
        if (address.Fragment.Length == 0)
            return All.FirstOrDefault(form => form.Name == path && form != Plain) ?? Completions;
        return All.FirstOrDefault(form => form.Name == address.Fragment[1..]) ?? throw new RewardException(
            $"reward '{address}': #{address.Fragment[1..]} is none of {string.Join(", ", All.Select(form => "#" + form.Name))}");
    }

    private static string Prompt(Completion completion) => completion.Prompt;

    private static string Text(Completion completion) => completion.Text;

    private static string Whole(Completion completion) => completion.Prompt + completion.Text;

    private static JsonElement[]? Array(JsonElement response, string name) => Entries(Field(response, name));

    private static JsonElement[]? Entries(JsonElement value) => value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray()] : null;

    private static JsonElement Field(JsonElement value, string name) =>
        value.ValueKind == JsonValueKind.Object && value.TryGetProperty(name, out var field) ? field : default;

    private static int Place(JsonElement entry, int otherwise) =>
        Field(entry, "index") is { ValueKind: JsonValueKind.Number } index && index.TryGetInt32(out var place) ? place : otherwise;

    /// <summary>The last number of lists within lists.</summary>
    private static JsonElement Last(JsonElement value)
    {
        while (value.ValueKind == JsonValueKind.Array) value = value.GetArrayLength() is > 0 and var count ? value[count - 1] : default;
        return value;
    }
}
