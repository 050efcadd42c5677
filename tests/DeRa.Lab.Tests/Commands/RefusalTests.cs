using DeRa.Testing;
using Xunit;

namespace DeRa.Lab.Tests.Commands;

/// <summary>Bad input: one line that names what is wrong, nothing on the output, and no folder half made.</summary>
public sealed class RefusalTests(TinyPair pair) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private string Output => Path.Combine(_folder.Path, "output");

    [Theory]
    [InlineData("'kindness' is not known", "--reward", "kindness")]
    [InlineData("MIN-MAX", "--reward", "length:50-40")]
    [InlineData("--beta is 0", "--beta", "0")]
    [InlineData("--beta is -1", "--beta", "-1")]
    [InlineData("--beta is NaN", "--beta", "NaN")]
    [InlineData("--beta", "--beta", "much")]
    [InlineData("policy-gradient, grpo, dpo", "--method", "ppo")]
    [InlineData("--steps is 0", "--steps", "0")]
    [InlineData("--learning-rate is -1", "--learning-rate", "-1")]
    [InlineData("--completions must be at least 2", "--completions", "1")]
    [InlineData("--prompts-per-step must be at least 1", "--prompts-per-step", "0")]
    [InlineData("--max-tokens must be at least 1", "--max-tokens", "0")]
    [InlineData("none.txt", "--prompts", "none.txt")]
    [InlineData("--device", "--device", "gpu")]
    [InlineData("--dtype", "--dtype", "int8")]
    [InlineData("'--betta'", "--betta", "1")]
    [InlineData("--threads is 0", "--threads", "0")]
    public async Task Align_names_what_it_cannot_use(string named, string option, string value) => await RefusedAsync(
        named, Replaced(
            ["align", "--reference", pair.Model, "--output", Output, "--reward", "length:3-5", "--beta", "0.1", "--prompts", pair.Text],
            option, value));

    [Fact]
    public async Task A_reward_may_be_a_name_of_a_file() => await RefusedAsync("'kindness' is not known",
    [
        "align", "--reference", pair.Model, "--output", Output, "--beta", "0.1", "--prompts", pair.Text, "--reward", "kind",
        "--rewards", _folder.Write("rewards.json", """{"kind": {"reward": "kindness", "timeout_seconds": 5}}"""),
    ]);

    [Theory]
    [InlineData("--row-tokens is 49", "--row-tokens", "49")]
    [InlineData("--hidden is 33", "--hidden", "33")]
    [InlineData("--heads must be at least 1", "--heads", "0")]
    [InlineData("--steps is 0", "--steps", "0")]
    [InlineData("--clip-norm is NaN", "--clip-norm", "NaN")]
    [InlineData("'--stepz'", "--stepz", "5")]
    [InlineData("none.txt", "--text", "none.txt")]
    [InlineData("--batch-rows", "--batch-rows", "many")]
    public async Task Train_names_what_it_cannot_use(string named, string option, string value) =>
        await RefusedAsync(named, Replaced(pair.Train(Output, steps: 5), option, value));

    [Theory]
    [InlineData("between -1 and 10", "--strengths", "11")]
    [InlineData("between -1 and 10", "--strengths", "NaN")]
    [InlineData("between -1 and 10", "--strengths", "-2")]
    [InlineData("--prompt-count must be at least 2", "--prompt-count", "1")]
    [InlineData("not known", "--reward", "joy")]
    [InlineData("the temperature is 0; it must be between 0.01 and 2", "--temperature", "0")]
    [InlineData("--end-token is 300", "--end-token", "300")]
    [InlineData("--vader and --known-words go together", "--vader", "lexicon.txt")]
    [InlineData("--vader and --known-words go together", "--known-words", "words.txt")]
    [InlineData("vocabularies differ", "--aligned", "qwen2")]
    public async Task Evaluate_names_what_it_cannot_use(string named, string option, string value) => await RefusedAsync(named, Replaced(
        ["evaluate", "--reference", pair.Model, "--aligned", pair.Model, "--reward", "sentiment", "--prompts", pair.Text,
            "--output", Output],
        option, option == "--aligned" ? GoldenData.Committed(value) : value));

    [Theory]
    [InlineData("--batch must be at least 1", "--batch", "0")]
    [InlineData("--count must be at least 1", "--count", "-1")]
    [InlineData("--max-tokens must be at least 1", "--max-tokens", "0")]
    [InlineData("--end-token is 300", "--end-token", "300")]
    [InlineData("the temperature is 3", "--temperature", "3")]
    [InlineData("context allows 1 to 48", "--prompt", "one two three four five six seven eight nine ten eleven twelve")]
    [InlineData("'--seeed'", "--seeed", "1")]
    public async Task Sample_names_what_it_cannot_use(string named, string option, string value) =>
        await RefusedAsync(named, Replaced(["sample", "--reference", pair.Model, "--output", Output], option, value));

    [Theory]
    [InlineData("--unlikelihood is 101; it must be between 0 and 100", "--unlikelihood", "101")]
    [InlineData("--unlikelihood (above 0) and --known-words go together", "--unlikelihood", "1")]
    [InlineData("--unlikelihood (above 0) and --known-words go together", "--known-words", "words.txt")]
    [InlineData("--known-words: there is no file none.txt", "--unlikelihood", "1", "--known-words", "none.txt")]
    [InlineData("--unlikelihood-completions must be at least 1", "--unlikelihood-completions", "0")]
    public async Task Train_names_what_it_cannot_unlearn(string named, params string[] options) =>
        await RefusedAsync(
            named, ["train", "--from", pair.Model, "--output", Output, "--text", pair.Text, "--row-tokens", "40", .. options]);

    [Fact]
    public async Task A_new_model_has_nothing_to_unlearn() => await RefusedAsync("--unlikelihood needs --from",
        ["train", "--tokenizer", pair.Tokenizer, "--output", Output, "--text", pair.Text, "--unlikelihood", "1", "--known-words",
            pair.Text]);

    [Fact]
    public async Task A_single_model_has_no_strength() => await RefusedAsync("--strengths: without --aligned there is only strength 0",
        ["evaluate", "--reference", pair.Model, "--reward", "sentiment", "--prompts", pair.Text, "--output", Output, "--strengths", "0.5"]);

    [Theory]
    [InlineData("--count must be at least 1", "--count", "0")]
    [InlineData("--other-reference: there is no folder 'none'", "--other-reference", "none")]
    [InlineData("between -1 and 10", "--strength", "11")]
    public async Task Compare_names_what_it_cannot_use(string named, string option, string value) => await RefusedAsync(named, Replaced(
        ["compare", "--reference", pair.Model, "--aligned", pair.Model, "--other-reference", pair.Model], option, value));

    [Theory]
    [InlineData("261 (256 bytes and 5 special", "--vocabulary", "260")]
    [InlineData("too few pairs", "--vocabulary", "100000")]
    [InlineData("--context must be at least 1", "--context", "0")]
    public async Task Tokenizer_names_what_it_cannot_use(string named, string option, string value) =>
        await RefusedAsync(named, Replaced(["tokenizer", "--text", pair.Text, "--output", Output], option, value));

    [Fact]
    public async Task An_empty_text_or_prompt_file_is_named()
    {
        var empty = _folder.Write("empty.txt", " \n");
        await RefusedAsync("empty.txt: holds no text", Replaced(pair.Train(Output, 5), "--text", empty));
        await RefusedAsync("empty.txt: holds no text", ["tokenizer", "--text", empty, "--output", Output]);
        await RefusedAsync("empty.txt: holds no text", ["loss", "--model", pair.Model, "--text", empty]);
        await RefusedAsync("empty.txt: holds no text",
            ["align", "--reference", pair.Model, "--output", Output, "--reward", "sentiment", "--beta", "1", "--prompts", empty]);
    }

    [Fact]
    public async Task A_broken_line_is_named()
    {
        var broken = _folder.Write("broken.jsonl", "{\"completion\": \"good\"}\n{\"completion\": \n");
        await RefusedAsync("broken.jsonl: line 2", Replaced(pair.Train(Output, 5), "--text", broken));
    }

    [Fact]
    public async Task Prompts_that_fill_the_context_are_refused_before_training()
    {
        var prompts = _folder.Write("long.jsonl", $"{{\"prompt\": \"{new string('z', 60)}\"}}");
        await RefusedAsync("--prompts: a prompt has 61 tokens; the context allows 1 to 47",
            ["align", "--reference", pair.Model, "--output", Output, "--reward", "sentiment", "--beta", "1", "--prompts", prompts]);
    }

    [Theory]
    [InlineData("config.json")]
    [InlineData("model.safetensors")]
    [InlineData("tokenizer.json")]
    public async Task A_folder_without_one_of_its_files_is_named(string file)
    {
        using var broken = new TemporaryFolder().CopyFrom(pair.Model);
        File.Delete(Path.Combine(broken.Path, file));
        string[][] commands =
        [
            ["align", "--reference", broken.Path, "--output", Output, "--reward", "sentiment", "--beta", "1", "--prompts", pair.Text],
            ["train", "--from", broken.Path, "--output", Output, "--text", pair.Text],
            ["sample", "--reference", broken.Path, "--output", Output],
            ["loss", "--model", broken.Path, "--text", pair.Text],
            ["evaluate", "--reference", pair.Model, "--aligned", broken.Path, "--reward", "sentiment", "--prompts", pair.Text,
                "--output", Output],
        ];
        foreach (var command in commands) await RefusedAsync(broken.Path, command);
    }

    [Theory]
    [InlineData("--reference: there is no folder 'no/such/folder'", "sample", "--reference", "no/such/folder")]
    [InlineData("--reference: there is no folder 'org/model' here. If it is a model on the Hub, 'dera pull org/model' downloads it",
        "sample", "--reference", "org/model")]
    [InlineData("--aligned: there is no folder './nowhere'", "sample", "--reference", null, "--aligned", "./nowhere")]
    [InlineData("--from: there is no folder './nowhere'", "train", "--text", "x", "--output", "x", "--from", "./nowhere")]
    [InlineData("--tokenizer: there is no folder './nowhere'", "train", "--text", "x", "--output", "x", "--tokenizer", "./nowhere")]
    [InlineData("--model: there is no folder './nowhere'", "loss", "--text", "x", "--model", "./nowhere")]
    [InlineData("--reference: there is no folder './nowhere'", "align", "--reference", "./nowhere", "--output", "x", "--reward",
        "sentiment", "--beta", "1", "--prompts", "x")]
    [InlineData("--aligned: there is no folder './nowhere'", "evaluate", "--reference", null, "--aligned", "./nowhere", "--reward",
        "sentiment", "--prompts", "x")]
    public async Task A_folder_that_is_not_there_is_named_with_its_option(string named, params string?[] arguments) =>
        await RefusedAsync(named, [.. arguments.Select(argument => argument ?? pair.Model)]);

    [Theory]
    [InlineData("--text: there is no file none.txt. Texts are", "loss", "--model", null, "--text", "none.txt")]
    [InlineData("--text: there is no file none.txt. Texts are", "tokenizer", "--output", "x", "--text", "none.txt")]
    [InlineData("--text: there is no file none.txt. Texts are", "reproduce", "length", "--output", "x", "--text", "none.txt")]
    [InlineData("--text: there is no file none.txt. Texts are", "stories", "--text", "none.txt", "--held-out", "x", "--output", "x")]
    [InlineData("'--text' is required", "tokenizer", "--output", "x")]
    [InlineData("'--prompts' is required", "evaluate", "--reference", null, "--aligned", null, "--reward", "sentiment")]
    public async Task Where_texts_are_missing_it_says_where_there_are_some_and_in_which_form(string named, params string?[] arguments)
    {
        var run = await RefusedAsync(named, [.. arguments.Select(argument => argument ?? pair.Model)]);
        Assert.Contains("https://huggingface.co/datasets/roneneldan/TinyStories", run.Error);
        Assert.Contains("<|endoftext|> between documents", run.Error);
    }

    [Fact]
    public async Task Fields_of_files_that_have_none_are_refused() =>
        await RefusedAsync("--prompt-field names a field of .jsonl files; --text names none",
            ["loss", "--model", pair.Model, "--text", pair.Text, "--prompt-field", "question"]);

    [Theory]
    [InlineData("--tokenizer", "somewhere")]
    [InlineData("--hidden", "64")]
    [InlineData("--context", "16")]
    public async Task Fine_tuning_refuses_another_shape(string option, string value) =>
        await RefusedAsync(option, ["train", "--from", pair.Model, "--output", Output, "--text", pair.Text, option, value]);

    [Fact]
    public async Task A_model_needs_a_beginning() =>
        await RefusedAsync("--tokenizer (a new model) or --from", ["train", "--output", Output, "--text", pair.Text]);

    [Fact]
    public async Task A_model_folder_is_not_trained_over()
    {
        using var model = new TemporaryFolder().CopyFrom(pair.Model);
        File.Delete(Path.Combine(model.Path, "run.json"));
        var run = await LabRun.OfAsync(Replaced(pair.Train(Output, 5), "--output", model.Path));
        Assert.Equal(2, run.Code);
        Assert.Contains("holds a model already", run.Error);
        Assert.Equal(File.ReadAllBytes(Path.Combine(pair.Model, "model.safetensors")),
            File.ReadAllBytes(Path.Combine(model.Path, "model.safetensors")));
    }

    [Fact]
    public async Task A_scorer_that_fails_ends_the_run_with_its_reason()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs a POSIX sh");
        var run = await LabRun.OfAsync(
            "align", "--reference", pair.Model, "--output", Output, "--reward", "command:sh -c \"read line; echo good\"", "--beta", "1",
            "--prompts", pair.Text, "--max-tokens", "5", "--steps", "2", "--device", "cpu", "--threads", "1");
        Assert.Equal(2, run.Code);
        Assert.Contains("'good'", run.Error.Replace('"', '\''));
        Assert.Single(run.Error.TrimEnd().Split('\n'));
    }

    /// <summary>A command line with one option changed, or added.</summary>
    private static string[] Replaced(IEnumerable<string> args, string option, string value)
    {
        var list = args.ToList();
        var at = list.IndexOf(option);
        if (at < 0) return [.. list, option, value];
        list[at + 1] = value;
        return [.. list];
    }

    private async Task<LabRun> RefusedAsync(string named, string[] args)
    {
        var run = await LabRun.OfAsync(args);
        Assert.True(run.Code is 1 or 2, $"exit code {run.Code}: {run.Out}");
        Assert.Contains(named, run.Error);
        Assert.StartsWith("dera-lab: ", run.Error);
        Assert.Single(run.Error.TrimEnd().Split('\n'));
        Assert.Empty(Directory.GetFileSystemEntries(_folder.Path, "output*"));
        return run;
    }
}
