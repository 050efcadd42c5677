using System.Text.Json;
using System.Text.Json.Nodes;
using DeRa.Serving.Requests;
using DeRa.Serving.Sweeps;
using DeRa.Serving.Sweeps.Files;
using DeRa.Text.Chat;
using Xunit;

namespace DeRa.Serving.Tests.Sweeps;

public sealed class ResponseFilesTests
{
    private static readonly SweepPrompt[] s_prompts =
    [
        Prompt(PromptForm.MtBench, """{"question_id": 81, "category": "writing", "turns": ["First", "Second"]}"""),
        Prompt(PromptForm.AlpacaEval, """{"dataset": "koala", "instruction": "Do", "output": "x", "generator": "y"}"""),
        Prompt(PromptForm.Other, """{"prompt": "Once"}"""),
    ];

    [Fact]
    public void Each_form_has_one_file_a_strength_with_the_fields_that_judges_read()
    {
        var files = ResponseFiles.Of(Rows(), s_prompts, "org/pair").ToDictionary(file => file.Name, file => file.Text);
        Assert.Equal(["alpaca_eval/org_pair@0.5.json", "alpaca_eval/org_pair@1.json", "model_answer/org_pair@0.5.jsonl",
            "model_answer/org_pair@1.jsonl"], files.Keys.Order(StringComparer.Ordinal));

        var line = Assert.Single(files["model_answer/org_pair@0.5.jsonl"].Split('\n', StringSplitOptions.RemoveEmptyEntries));
        var answer = JsonNode.Parse(line)!.AsObject();
        Assert.Equal(["question_id", "answer_id", "model_id", "choices", "tstamp"], answer.Select(field => field.Key));
        Assert.Equal((81, "org/pair@0.5"), ((int)answer["question_id"]!, (string)answer["model_id"]!));
        Assert.Equal("""[{"index":0,"turns":["0.5 0 0","then"]},{"index":1,"turns":["0.5 0 1",""]}]""",
            answer["choices"]!.ToJsonString());
        Assert.Equal(22, ((string)answer["answer_id"]!).Length);
        Assert.NotEqual((string)answer["answer_id"]!, (string)JsonNode.Parse(files["model_answer/org_pair@1.jsonl"])!["answer_id"]!);

        Assert.Equal("""[{"dataset":"koala","instruction":"Do","output":"1 1 0","generator":"org/pair@1"}]""",
            JsonNode.Parse(files["alpaca_eval/org_pair@1.json"])!.ToJsonString());
        Assert.Empty(ResponseFiles.Of([.. Rows().Where(row => row.PromptIndex == 2)], s_prompts, "pair"));
        Assert.Equal(files, ResponseFiles.Of(Rows(), s_prompts, "org/pair").ToDictionary(file => file.Name, file => file.Text));
    }

    [Fact]
    public async Task The_second_turn_goes_on_with_the_sample_s_own_first_answer()
    {
        var endpoint = new ScriptedEndpoint();
        var prompt = new SweepPrompt(new ChatPrompt([new ChatMessage("user", "First")]), "First", "p:1")
        {
            FurtherTurns = ["Second", "Third"],
        };
        using var reward = new ScriptedReward((_, _) => 0, 0);
        var settings = new SweepSettings { Strengths = [.5, 1], Samples = 2, MaxTokens = 4, Seed = 7 };
        var run = new SweepRun(endpoint, [reward], settings, _ => { });
        await foreach (var rows in run.RunAsync([prompt], [new SweepUnit(0, [.5, 1])], TestContext.Current.CancellationToken))
        {
            Assert.Equal(4, rows.Count);
            foreach (var row in rows)
            {
                var seed = 7 + ((long)row.Sample << 32);
                Assert.Equal(Enumerable.Repeat(FormattableString.Invariant($"{row.Strength} {seed} 0"), 2), row.FurtherTurns);
                Assert.Contains(endpoint.Conversations, said => said == $"First|{row.Completion}|Second|{row.FurtherTurns[0]}|Third");
                Assert.Equal(row.FurtherTurns, SweepRow.Parse(row.ToJson(["r"]), ["r"]).FurtherTurns);
            }
        }
        Assert.Equal(1 + 4 + 4, endpoint.Conversations.Count);
    }

    private static SweepPrompt Prompt(PromptForm form, string item) =>
        new(new TextPrompt("Once"), "Once", "p") { Form = form, Item = JsonElement.Parse(item) };

    private static List<SweepRow> Rows() => [.. from prompt in Enumerable.Range(0, 3)
                                                from strength in (double[])[.5, 1]
                                                from sample in Enumerable.Range(0, 2)
                                                select new SweepRow
                                                {
                                                    PromptIndex = prompt,
                                                    Prompt = "Once",
                                                    Strength = strength,
                                                    Sample = sample,
                                                    Seed = prompt,
                                                    Completion = FormattableString.Invariant($"{strength} {prompt} {sample}"),
                                                    FurtherTurns = prompt == 0 ? [sample == 0 ? "then" : null] : [],
                                                    Tokens = 3,
                                                    IsFinished = true,
                                                    Kl = 0,
                                                    Rewards = [0],
                                                }];
}
