using System.CommandLine;
using DeRa.Lab.Data;
using DeRa.Serving.Rewards;
using DeRa.Text;

namespace DeRa.Lab.Commands;

/// <summary>The options of every command that samples completions and scores them.</summary>
internal sealed class TaskArguments
{
    private readonly Option<string> _reward = new("--reward")
    {
        Description = "What is rewarded, a name of --rewards or:\n" + RewardSpec.Known,
        Required = true,
    };

    private readonly Option<string?> _rewardFile = new("--rewards") { Description = "JSON file of rewards by name, as of a server" };

    private readonly TextOptions _prompts = new(new Option<string[]>("--prompts")
    {
        Description = "Files with prompts: .jsonl with \"prompt\" a line, or texts whose beginnings are the prompts",
        Required = true,
        AllowMultipleArgumentsPerToken = true,
    });

    private readonly Option<int> _promptTokens = WholeNumberOption.Create(
        "--prompt-tokens", "Tokens of a text's beginning that are the prompt", 6);

    private readonly Option<int> _maxTokens = WholeNumberOption.Create("--max-tokens", "Longest completion, end token included", 200);

    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[_reward, _rewardFile, _promptTokens, _maxTokens]) command.Add(option);
        _prompts.AddTo(command);
    }

    /// <exception cref="RewardException">The reward is unknown.</exception>
    public IReward Reward(ParseResult parsed)
    {
        var entry = RewardEntry.Choose(
            parsed.GetRequiredValue(_reward), parsed.GetValue(_rewardFile) is { } file ? RewardEntry.ReadFile(file) : []);
        return RewardSpec.Parse(entry.Specification, entry.Settings);
    }

    /// <summary>Where the prompts come from, for the output of commands.</summary>
    public string Source(ParseResult parsed) => _prompts.Source(parsed);

    public int MaxTokens(ParseResult parsed) => parsed.GetValue(_maxTokens);

    /// <summary>The prompts, each shorter than the context.</summary>
    /// <exception cref="LabException">There is no prompt, or one is too long.</exception>
    public IReadOnlyList<EncodedPrompt> Prompts(ParseResult parsed, ITokenizer tokenizer, int contextTokens)
    {
        var prompts = PromptFile.Read(_prompts.Files(parsed), _prompts.Fields(parsed), tokenizer, parsed.GetValue(_promptTokens));
        return prompts.MaxBy(prompt => prompt.Tokens.Length) is { } longest && longest.Tokens.Length >= contextTokens
            ? throw new LabException(
                $"--prompts: a prompt has {longest.Tokens.Length} tokens; the context allows 1 to {contextTokens - 1}.")
            : prompts;
    }
}
