using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using DeRa.Cli.Arguments;
using DeRa.Cli.Score;
using DeRa.Serving.Requests;
using DeRa.Serving.Rewards;
using DeRa.Serving.Sweeps;
using DeRa.Serving.Sweeps.Plans;

namespace DeRa.Cli.Sweep;

/// <summary>The options of <c>dera sweep</c>, but for those of the pair.</summary>
internal static class SweepOptions
{
    private const int MaxRewards = 4;
    private const string Auto = "auto", AutoRange = "0:3:0.1";

    /// <summary>What a request may ask for here.</summary>
    public static readonly RequestLimits Limits = new() { MaxChoices = 128, MaxPrompts = 64 };

    public static readonly Option<string> Prompts = new("--prompts")
    {
        Description = "File of prompts: JSON lines (.jsonl), a JSON list (.json) or lines of text. An object's prompt is its first of "
            + "messages, turns (MT-Bench), instruction (AlpacaEval), prompt and question; the first three are chats",
        Required = true,
    };

    public static readonly Option<string?> PromptField = new("--prompt-field") { Description = "The field that holds the prompt instead" };

    public static readonly Option<bool> Chat = new("--chat") { Description = "Texts are what a user says in a chat" };

    private static readonly Option<string[]> s_strengths = new("--strengths")
    {
        Description = "Strengths λ of the first aligned model: numbers, and ranges FROM:TO:STEP, with commas between them; each from "
            + string.Create(CultureInfo.InvariantCulture, $"{Limits.MinStrength} to {Limits.MaxStrength}. ")
            + $"Or auto, or auto:FROM:TO:STEP (auto is {AutoRange}): few prompts at strengths far apart, then more where the highest first "
            + "reward may lie",
        DefaultValueFactory = _ => ["0:2:0.1"],
    };

    private static readonly Option<int> s_samples = WholeNumberOption.Create(
        "--samples", "Completions of each prompt at each strength, with the same random draws at every strength", 8,
        1, SweepSettings.MaxSamples);

    private static readonly Option<string[]> s_rewards = new("--reward")
    {
        Description = $"What scores completions; 1 to {MaxRewards} times. The first is the one whose highest strength is recommended; "
            + "others, such as a gold reward, show whether it is over-optimised. Names of --rewards, or:\n" + RewardSpec.Known,
        Required = true,
    };

    private static readonly Option<string?> s_rewardFile = new("--rewards")
    {
        Description = "JSON file of rewards by name, as of a server: rubric, key, time limit and concurrency of a judge, for instance",
    };

    private static readonly Option<double?> s_beta = new("--beta")
    {
        Description = "The β that the aligned model was trained at, above 0: the β/λ to train at once more is then reported",
    };

    private static readonly Option<int> s_maxTokens = WholeNumberOption.Create(
        "--max-tokens", "Tokens of a completion at most", 128, 1, 1 << 20);

    private static readonly Option<double> s_temperature = new("--temperature")
    {
        Description = "0 (greedy) or 0.01 to 2; KL is that of temperature 1 along what was written",
        DefaultValueFactory = _ => 1,
    };

    private static readonly Option<double> s_topP = new("--top-p")
    {
        Description = "Keep the most likely tokens up to this probability; 0 (the likeliest alone) to 1",
        DefaultValueFactory = _ => 1,
    };

    private static readonly Option<int> s_seed = WholeNumberOption.Create(
        "--seed", "The first prompt's seed; each next one's is one more", 0, 0, int.MaxValue);

    public static readonly Option<string> Output = new("--output")
    {
        Description = "Folder to write: results.jsonl and results.parquet (a row for each completion), strengths.csv (a line for each "
            + "strength), search.csv (the rounds of auto), answers in the prompts' form (MT-Bench, AlpacaEval), report.html and "
            + "settings.json. The same command goes on where it was interrupted",
        Required = true,
    };

    public static readonly Option<bool> Force = new("--force") { Description = "Replace results that are there already" };

    public static readonly Option<Uri[]> Url = new("--url")
    {
        Description = "A server of dera's that generates instead, such as http://localhost:8080; given several times, servers of the "
            + "same models share the work; " + ServerArguments.KeyDescription,
        CustomParser = ServerArguments.ReadAddresses,
    };

    /// <summary>Declares them.</summary>
    public static void AddTo(Command command)
    {
        Option[] options =
        [
            Prompts, PromptField, Chat, s_strengths, s_samples, s_rewards, s_rewardFile, s_beta, s_maxTokens, s_temperature, s_topP, s_seed,
            Url, Output, Force,
        ];
        foreach (var option in options) command.Add(option);
        command.Validators.Add(Check);
    }

    /// <summary>Declares those of them that <c>dera compare</c> has too.</summary>
    public static void AddSharedTo(Command command)
    {
        Option[] options =
            [Prompts, PromptField, Chat, s_samples, s_rewards, s_rewardFile, s_maxTokens, s_temperature, s_topP, s_seed, Url];
        foreach (var option in options) command.Add(option);
        command.Validators.Add(CheckRewards);
    }

    /// <summary>What is generated.</summary>
    /// <exception cref="FormatException">A strength is none, or is outside the range.</exception>
    public static SweepSettings Read(ParseResult parsed)
    {
        double[] strengths = [.. Numbers(IsAuto(parsed) ? [Range(parsed)] : parsed.GetRequiredValue(s_strengths)).Distinct().Order()];
        if (IsAuto(parsed) && strengths.Length < AutoPlan.MinStrengths)
            throw new FormatException($"--strengths auto has {strengths.Length} strengths to choose from; at least {AutoPlan.MinStrengths} "
                + "are needed, and fewer are best listed.");
        return Read(parsed, strengths);
    }

    /// <summary>What is generated, at strengths that are given.</summary>
    public static SweepSettings Read(ParseResult parsed, IReadOnlyList<double> strengths) => new()
    {
        Strengths = strengths,
        Samples = parsed.GetValue(s_samples),
        MaxTokens = parsed.GetValue(s_maxTokens),
        Temperature = parsed.GetValue(s_temperature),
        TopP = parsed.GetValue(s_topP),
        Seed = parsed.GetValue(s_seed),
    };

    /// <summary>Reads strengths of the first aligned model, in their order.</summary>
    /// <exception cref="FormatException">One is none, or is outside the range.</exception>
    public static IReadOnlyList<double> Numbers(IReadOnlyList<string> values)
    {
        var strengths = StrengthList.Parse(values);
        if (strengths.FirstOrDefault(one => one.Named is not null) is { Named: not null } named)
            throw new FormatException(
                $"--strengths holds '{StrengthList.Label(named)}'; a sweep takes numbers, of the first aligned model.");
        double[] numbers = [.. strengths.Select(one => one.First!.Value)];
        foreach (var number in numbers)
            if (!(number >= Limits.MinStrength && number <= Limits.MaxStrength))
                throw new FormatException(string.Create(CultureInfo.InvariantCulture,
                    $"--strengths holds {number}; it must be between {Limits.MinStrength} and {Limits.MaxStrength}."));
        return numbers;
    }

    /// <summary>What scores.</summary>
    /// <exception cref="RewardException">The file of rewards is wrong.</exception>
    public static IReadOnlyList<RewardEntry> ReadRewards(ParseResult parsed)
    {
        var named = parsed.GetValue(s_rewardFile) is { } file ? RewardEntry.ReadFile(file) : [];
        return [.. parsed.GetRequiredValue(s_rewards).Select(text => RewardEntry.Choose(text, named))];
    }

    /// <summary>The β that the aligned model was trained at; null = unknown.</summary>
    public static double? Beta(ParseResult parsed) => parsed.GetValue(s_beta);

    /// <summary>Whether strengths are searched, rather than all run.</summary>
    public static bool IsAuto(ParseResult parsed) => parsed.GetRequiredValue(s_strengths) is [var only] && Range(only) is not null;

    /// <summary>The strengths as they were given, for settings.json.</summary>
    public static string Strengths(ParseResult parsed, SweepSettings settings) => IsAuto(parsed) ? $"{Auto}:{Range(parsed)}"
        : string.Join(',', settings.Strengths.Select(strength => strength.ToString("R", CultureInfo.InvariantCulture)));

    private static string Range(ParseResult parsed) => Range(parsed.GetRequiredValue(s_strengths)[0])!;

    private static string? Range(string value) => value == Auto ? AutoRange
        : value.StartsWith(Auto + ":", StringComparison.Ordinal) ? value[(Auto.Length + 1)..] : null;

    private static void Check(CommandResult result)
    {
        if (result.GetResult(s_beta) is { Tokens.Count: > 0 } beta
            && beta.GetValueOrDefault<double?>() is not (> 0 and < double.PositiveInfinity))
            result.AddError("--beta must be a number above 0.");
        CheckRewards(result);
    }

    /// <summary>Completions come from one place only.</summary>
    public static void CheckSource(CommandResult result, PairArguments pair)
    {
        if (result.GetResult(Url) is not null && pair.NamesModels(result))
            result.AddError("--url is given beside --reference or --aligned; completions come from a server or from models here.");
    }

    private static void CheckRewards(CommandResult result)
    {
        if (result.GetResult(s_rewards) is { Tokens.Count: > MaxRewards } rewards)
            result.AddError($"--reward is given {rewards.Tokens.Count} times; 1 to {MaxRewards} times are allowed.");
        if (result.GetResult(s_rewards) is { } given && given.Tokens.Select(token => token.Value).Distinct().Count() < given.Tokens.Count)
            result.AddError("--reward names the same reward twice.");
    }
}
