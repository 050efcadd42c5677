using Xunit;

namespace DeRa.Lab.Tests.Commands;

public sealed class HelpTests
{
    [Fact]
    public async Task Help_says_in_which_order_a_pair_is_made()
    {
        var help = await LabRun.OutputAsync("--help");
        Assert.Matches(@"In order: tokenizer, train \(pretraining, then SFT with --from\), align, evaluate", help.ReplaceLineEndings(" "));
    }

    [Theory]
    [InlineData("stories", "--text --held-out --output --seed")]
    [InlineData("tokenizer", "--text --vocabulary --context --output")]
    [InlineData("train", "--text --prompt-field --completion-field --output --from --tokenizer --hidden --layers --heads --context "
        + "--row-tokens --steps --seed --dtype --unlikelihood --unlikelihood-completions --known-words")]
    [InlineData("sample", "--reference --aligned --strength --prompt --count --max-tokens --seed --output")]
    [InlineData("loss", "--model --text --device")]
    [InlineData("align", "--reference --output --method --beta --reward --prompts --completions --max-tokens --steps --seed --device")]
    [InlineData("evaluate", "--reference --aligned --strengths --reward --prompts --completions --output --seed "
        + "--temperature --vader --known-words")]
    [InlineData("compare", "--reference --aligned --other-reference --other-aligned --strength --temperature --prompt --count --seed")]
    public async Task Help_of_a_command_lists_its_options(string command, string options)
    {
        var help = await LabRun.OutputAsync(command, "--help");
        Assert.All(options.Split(' '), option => Assert.Contains(option, help));
    }

    [Fact]
    public async Task Help_of_align_names_methods_and_rewards()
    {
        var help = await LabRun.OutputAsync("align", "--help");
        Assert.All((string[])["policy-gradient", "grpo", "dpo", "brain", "length:", "sentiment", "command:", "http"], name =>
            Assert.Contains(name, help));
    }

    [Theory]
    [InlineData("no command")]
    [InlineData("an unknown one", "improve")]
    public async Task Without_a_command_the_line_is_refused(string _, params string[] args) =>
        Assert.Equal(2, (await LabRun.OfAsync(args)).Code);
}
