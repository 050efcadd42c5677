using System.Text.Json.Nodes;
using DeRa.Cli.Tests.Bench;
using DeRa.Testing;
using Xunit;

namespace DeRa.Cli.Tests.Sweep;

public sealed class SweepResponsesTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Answers_are_written_in_the_prompts_forms_and_are_the_same_after_an_interruption()
    {
        File.WriteAllLines(_folder.File("prompts.jsonl"),
        [
            """{"question_id":81,"turns":["Hi","And?"]}""",
            """{"instruction":"Do","dataset":"koala"}""",
            """{"question_id":82,"turns":["Once"]}""",
        ]);
        await RunAsync("whole");
        Directory.CreateDirectory(_folder.File("stopped"));
        File.Copy(_folder.File("whole/settings.json"), _folder.File("stopped/settings.json"));
        var rows = File.ReadAllLines(_folder.File("whole/results.jsonl"));
        File.WriteAllLines(_folder.File("stopped/results.jsonl"), rows[..5]);
        await RunAsync("stopped");
        string[] files =
            ["model_answer/pair@0.jsonl", "model_answer/pair@1.5.jsonl", "alpaca_eval/pair@0.json", "alpaca_eval/pair@1.5.json"];
        foreach (var file in (string[])["results.jsonl", .. files])
            Assert.Equal(File.ReadAllText(_folder.File($"whole/{file}")), File.ReadAllText(_folder.File($"stopped/{file}")));
        var answers = File.ReadAllLines(_folder.File("whole/model_answer/pair@1.5.jsonl")).Select(line => JsonNode.Parse(line)!).ToList();
        Assert.Equal([81, 82], answers.Select(answer => (int)answer["question_id"]!));
        Assert.Equal([2, 2, 1, 1], answers.SelectMany(answer => answer["choices"]!.AsArray())
            .Select(choice => choice!["turns"]!.AsArray().Count));
        var row = JsonNode.Parse(rows[2])!;
        Assert.Equal(1.5, (double)row["alignment_strength"]!);
        Assert.Equal((string)row["completion"]!, (string)answers[0]["choices"]![0]!["turns"]![0]!);
        Assert.Equal((string)row["further_turns"]![0]!, (string)answers[0]["choices"]![0]!["turns"]![1]!);
        Assert.NotEqual("", (string)row["further_turns"]![0]!);
    }

    private async Task RunAsync(string folder)
    {
        var run = await CommandRun.OfAsync("sweep", "--reference", GoldenData.Committed("pair/sft"),
            "--aligned", GoldenData.Committed("pair/aligned"), "--device", "cpu", "--prompts", _folder.File("prompts.jsonl"),
            "--strengths", "0,1.5", "--samples", "2", "--max-tokens", "6", "--reward", "story", "--output", _folder.File(folder));
        Assert.True(run.Code == 0, run.Error);
    }
}
