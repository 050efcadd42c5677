using DeRa.Cli.Sweep;
using DeRa.Cli.Tests.Bench;
using DeRa.Serving.Requests;
using DeRa.Serving.Rewards;
using DeRa.Serving.Sweeps;
using DeRa.Testing;
using Xunit;

namespace DeRa.Cli.Tests.Sweep;

public sealed class PromptLinesTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Lines_of_text_are_prompts_and_empty_ones_are_none()
    {
        Write("prompts.txt", "Once\n\n Lily \r\n{\"prompt\":\"a\"}");
        Assert.Equal(["Once", " Lily ", "{\"prompt\":\"a\"}"], Read("prompts.txt"));
    }

    [Theory]
    [InlineData("prompt", "Once", """{"prompt":"Once","question":"other"}""")]
    [InlineData("prompt", "What?", """{"question":"What?","answer":"This"}""")]
    [InlineData("prompt", "Once", "\"Once\"")]
    [InlineData("user: First", "First", """{"question_id":81,"category":"writing","turns":["First","Second"]}""")]
    [InlineData("user: Do", "Do", """{"dataset":"helpful_base","instruction":"Do","output":"x","generator":"y"}""")]
    [InlineData("system: Be brief; user: Hi", "Hi",
        """{"messages":[{"role":"system","content":"Be brief"},{"role":"user","content":"Hi"}]}""")]
    [InlineData("user: Hi", "Hi", """{"prompt":[{"role":"user","content":"Hi"}]}""")]
    public void Fields_of_known_files_are_found(string form, string text, string line)
    {
        Write("prompts.jsonl", line);
        Write("prompts.json", $"[{line}]");
        foreach (var file in (string[])["prompts.jsonl", "prompts.json"])
        {
            var prompt = Assert.Single(new PromptLines(null, areChats: false).Read(_folder.File(file)));
            Assert.Equal(text, prompt.Text);
            Assert.Equal(form, prompt.Input is ChatPrompt chat
                ? string.Join("; ", chat.Messages.Select(message => $"{message.Role}: {message.Content}")) : prompt.Input.Field);
            Assert.Equal(line.StartsWith('{'), prompt.Item is not null);
        }
    }

    [Fact]
    public void A_field_may_be_named_and_texts_may_be_chats()
    {
        Write("prompts.jsonl", """{"prompt":"Once","question":"What?"}""");
        var prompt = Assert.Single(new PromptLines("question", areChats: true).Read(_folder.File("prompts.jsonl")));
        Assert.Equal("What?", Assert.Single(Assert.IsType<ChatPrompt>(prompt.Input).Messages).Content);
    }

    [Fact]
    public void Further_turns_and_the_form_of_a_file_are_kept()
    {
        Write("prompts.jsonl", """
            {"question_id":81,"turns":["First","Second"]}
            {"instruction":"Do"}
            {"prompt":"Once"}
            """);
        var prompts = new PromptLines(null, areChats: false).Read(_folder.File("prompts.jsonl"));
        Assert.Equal([PromptForm.MtBench, PromptForm.AlpacaEval, PromptForm.Other], prompts.Select(prompt => prompt.Form));
        Assert.Equal(["Second"], prompts[0].FurtherTurns);
        Assert.Empty(prompts[1].FurtherTurns);
    }

    [Fact]
    public async Task GSM8K_s_questions_are_prompts_and_its_answers_get_the_full_reward()
    {
        var path = SharedData.Find("eval/gsm8k-test.jsonl");
        Assert.SkipWhen(path is null, SharedData.Missing);
        var prompts = new PromptLines("question", areChats: false).Read(path!);
        Assert.Equal(1319, prompts.Count);
        using var reward = RewardSpec.Parse("number:answer");
        var scores = await reward.ScoreAsync([.. prompts.Select(prompt => new Completion(
            prompt.Text, prompt.Item!.Value.GetProperty("answer").GetString()!, 1, true) { Item = prompt.Item })],
            TestContext.Current.CancellationToken);
        Assert.All(scores, score => Assert.Equal(1, score.Value));
        Assert.All(prompts, prompt => Assert.Equal(prompt.Item!.Value.GetProperty("question").GetString(), prompt.Text));
    }

    [Fact]
    public void MT_Bench_s_questions_are_chats_of_two_turns()
    {
        var path = SharedData.Find("eval/mt_bench-question.jsonl");
        Assert.SkipWhen(path is null, SharedData.Missing);
        var prompts = new PromptLines(null, areChats: false).Read(path!);
        Assert.Equal(80, prompts.Count);
        Assert.All(prompts, prompt => Assert.Single(prompt.FurtherTurns));
    }

    [Theory]
    [InlineData("prompts.jsonl", "{\"prompt\":\"a\"}\n[", "prompts.jsonl:2: ")]
    [InlineData("prompts.jsonl", "{\"turns\":[]}", "prompts.jsonl:1: 'turns' must be a list of at least one text.")]
    [InlineData("prompts.json", "{}", "it must be a JSON list of prompts.")]
    [InlineData("prompts.json", "[\"a\",{\"prompt\":1}]", "prompts.json[1]: 'prompt' must be a text.")]
    [InlineData("prompts.txt", "\n", "holds no prompt; at least one is needed.")]
    public void What_is_no_prompt_is_named_by_its_place(string file, string text, string message)
    {
        Write(file, text);
        Assert.Contains(message, Assert.Throws<FormatException>(() => Read(file)).Message, StringComparison.Ordinal);
    }

    private IEnumerable<string> Read(string file) =>
        new PromptLines(null, areChats: false).Read(_folder.File(file)).Select(prompt => prompt.Text);

    private void Write(string file, string text) => File.WriteAllText(_folder.File(file), text);
}
