using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using DeRa.Cli.Arguments;
using DeRa.Cli.Sweep;
using DeRa.Serving.Loading;

namespace DeRa.Cli.Compare;

/// <summary>The options of <c>dera compare</c>, but for those of the first pair and those that a sweep has too.</summary>
internal static class CompareOptions
{
    private const int MaxShown = 1000;

    private static readonly Option<string[]> s_strengths = new("--strengths")
    {
        Description = "Two strengths λ with a comma between them, the first's and the second's, or with two pairs one for both; of the "
            + "first aligned model, each from "
            + string.Create(CultureInfo.InvariantCulture, $"{SweepOptions.Limits.MinStrength} to {SweepOptions.Limits.MaxStrength}"),
        Required = true,
    };

    private static readonly Option<string?> s_otherReference = new("--other-reference")
    {
        Description = "The second pair's reference model, as --reference names one; needs --other-aligned (default: the second is the "
            + "first pair, at the second strength)",
    };

    private static readonly Option<string[]> s_otherAligned = new("--other-aligned")
    {
        Description = "The second pair's aligned model, as --aligned names one",
    };

    private static readonly Option<Uri?> s_otherUrl = new("--other-url")
    {
        Description = "A server of dera's that is the second, as --url names one",
        CustomParser = ServerArguments.ReadAddress,
    };

    private static readonly Option<int> s_show = WholeNumberOption.Create(
        "--show", "Prompts whose first completions are shown side by side", 3, 0, MaxShown);

    /// <summary>Declares them.</summary>
    public static void AddTo(Command command)
    {
        SweepOptions.AddSharedTo(command);
        Option[] options = [s_strengths, s_otherReference, s_otherAligned, s_otherUrl, s_show];
        foreach (var option in options) command.Add(option);
        command.Validators.Add(Check);
    }

    /// <summary>Prompts whose completions are shown.</summary>
    public static int Shown(ParseResult parsed) => parsed.GetValue(s_show);

    /// <summary>The server that is the second; null = there is none.</summary>
    public static Uri? OtherUrl(ParseResult parsed) => parsed.GetValue(s_otherUrl);

    /// <summary>The folders of the second pair; null = there is none.</summary>
    /// <exception cref="FormatException">Of several aligned models one has no name.</exception>
    public static PairFolders? OtherPair(ParseResult parsed) => parsed.GetValue(s_otherReference) is { } reference
        ? PairFolders.Choose(reference, parsed.GetRequiredValue(s_otherAligned)) : null;

    /// <summary>The first's strength and the second's.</summary>
    /// <exception cref="FormatException">They are not one or two, are out of range, or are the same of the same pair.</exception>
    public static (double First, double Second) Strengths(ParseResult parsed)
    {
        var numbers = SweepOptions.Numbers(parsed.GetRequiredValue(s_strengths));
        var areTwoPairs = OtherUrl(parsed) is not null || parsed.GetValue(s_otherReference) is not null;
        return numbers switch
        {
            [var both] when areTwoPairs => (both, both),
            [var first, var second] when areTwoPairs || first != second => (first, second),
            _ => throw new FormatException("--strengths must be two different numbers with a comma between them; one is enough where "
                + "--other-reference or --other-url gives a second pair."),
        };
    }

    private static void Check(CommandResult result)
    {
        if (result.GetResult(s_otherReference) is null != result.GetResult(s_otherAligned) is null)
            result.AddError("--other-reference and --other-aligned make the second pair together; one is given without the other.");
        if (result.GetResult(s_otherUrl) is not null && result.GetResult(s_otherReference) is not null)
            result.AddError("--other-url is given beside --other-reference; the second is a server or models here.");
    }
}
