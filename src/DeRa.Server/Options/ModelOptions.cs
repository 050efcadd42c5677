using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using DeRa.Hosting.Options;
using DeRa.Serving.Loading;
using DeRa.Serving.Rewards;

namespace DeRa.Server.Options;

/// <summary>Which models are served, and under which name.</summary>
internal sealed record ModelOptions
{
    [Description("The reference model (strength 0): a folder in Hugging Face layout, or a name on the Hub, ORGANISATION/NAME or "
        + "ORGANISATION/NAME@REVISION; needs --aligned."), Option(Placeholder = "MODEL", DefaultText = "the default pair's")]
    public string? Reference { get; init; }

    [Description("An aligned model (strength 1): a folder or a name on the Hub; a whole model, the reference again, or a LoRA adapter over "
        + "the reference (PEFT). Several may be given, each with a name by which requests give it a strength: helpful=MODEL."),
        Option(Placeholder = "MODEL", DefaultText = "the default pair's")]
    public IReadOnlyList<string> Aligned { get; init; } = [];

    [Description("Name under which the pair is served."), Option(Placeholder = "NAME",
        DefaultText = $"the first aligned model's last part; the default pair's is {PairFolders.DefaultName}")]
    public string? Name { get; init; }

    [Description("KL strength with which the aligned models were trained: implicit rewards of measures are multiplied by it. Without it "
        + "they are differences of log-probabilities."), Range(0.0001, 10000), Option(Placeholder = "BETA", DefaultText = "not known")]
    public double? Beta { get; init; }

    [Description("JSON file of rewards by name, which requests may ask for: {\"happy\": \"sentiment\"}. A program or server that one names "
        + "is run or called by this server."), Option(Placeholder = "FILE", DefaultText = "none")]
    public string? Rewards { get; init; }

    /// <summary>What that file holds.</summary>
    /// <exception cref="OptionException">It cannot be read.</exception>
    public IReadOnlyList<RewardEntry> ReadRewards()
    {
        try
        {
            return Rewards is null ? [] : RewardEntry.ReadFile(Rewards);
        }
        catch (RewardException bad)
        {
            throw new OptionException("--" + bad.Message);
        }
    }

    /// <summary>The name under which the pair is served.</summary>
    /// <exception cref="FormatException">An aligned model's name is missing.</exception>
    public string ServedName => Name
        ?? (Aligned.Count == 0 ? PairFolders.DefaultName : LastPart(PairFolders.ParseAligned(Aligned)[0].Path));

    /// <summary>Whether the pair that comes with the server is served.</summary>
    public bool IsDefaultPair => Reference is null && Aligned.Count == 0;

    /// <summary>Of a folder its own name, of a name on the Hub what stands after the organisation and before the revision.</summary>
    private static string LastPart(string model) =>
        Directory.Exists(model) ? new DirectoryInfo(model).Name : model.Split('@')[0].Split('/')[^1];
}
