using DeRa.Testing;
using DeRa.Testing.Hub;
using Xunit;

namespace DeRa.Cli.Tests;

[Collection(HubEnvironment.Collection)]
public class PullCommandTests
{
    [Fact]
    public async Task A_pulled_model_prints_its_folder_and_can_be_generated_with()
    {
        await using var environment = new HubEnvironment(GoldenData.Committed("pair/sft"));
        var pull = await CommandRun.OfAsync("pull", "org/model", "org/model@main");
        Assert.Equal(0, pull.Code);
        Assert.Equal([environment.Snapshot, environment.Snapshot], Lines(pull.Out));
        Assert.Single(Lines(pull.Error), line => line.StartsWith("org/model: model.safetensors, ", StringComparison.Ordinal));
        Assert.Equal("org/model: asking 127.0.0.1 what it holds.", Lines(pull.Error)[0]);
        var generate = await CommandRun.OfAsync("generate", "--reference", environment.Snapshot, "--aligned", environment.Snapshot,
            "--device", "cpu", "--max-tokens", "2", "Once");
        Assert.Equal(0, generate.Code);
    }

    [Fact]
    public async Task A_name_on_the_Hub_may_stand_for_a_folder_beside_one()
    {
        await using var environment = new HubEnvironment(GoldenData.Committed("pair/sft"));
        string[] end =
            ["--aligned", "tuned=" + GoldenData.Committed("pair/lora"), "--device", "cpu", "--max-tokens", "9", "--seed", "1", "Once"];
        var fromHub = await CommandRun.OfAsync(["generate", "--reference", "org/model@main", .. end]);
        Assert.Equal(0, fromHub.Code);
        Assert.Contains("org/model: model.safetensors, ", fromHub.Error, StringComparison.Ordinal);
        Assert.Equal((await CommandRun.OfAsync(["generate", "--reference", GoldenData.Committed("pair/sft"), .. end])).Out, fromHub.Out);
        var unknown = await CommandRun.OfAsync("generate", "--reference", "org/model", "--aligned", "org/modle", "Once");
        Assert.Equal((1, ""), (unknown.Code, unknown.Out));
        Assert.Contains("no folder 'org/modle' here, and no model of that name", unknown.Error, StringComparison.Ordinal);
    }

    private static string[] Lines(string text) => text.Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);

    [Fact]
    public async Task What_cannot_be_pulled_is_one_line_that_names_it()
    {
        await using var environment = new HubEnvironment(GoldenData.Committed("pair/sft"));
        var run = await CommandRun.OfAsync("pull", "org/modle");
        Assert.Equal((1, ""), (run.Code, run.Out));
        Assert.StartsWith("dera: there is no folder 'org/modle' here, and no model of that name on ",
            Lines(run.Error)[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_retry_is_shown()
    {
        await using var environment = new HubEnvironment(GoldenData.Committed("pair/sft"));
        environment.Hub.NextStatus("listing", 503, headers: ("Retry-After", "0"));
        var pull = await CommandRun.OfAsync("pull", "org/model");
        Assert.Equal(0, pull.Code);
        Assert.Equal("'org/model': 127.0.0.1 answered 503. Trying again in 0 s (1 of 5).", Lines(pull.Error)[1]);
    }

    [Theory]
    [InlineData("pull", "org/model", "./nowhere")]
    [InlineData("inspect", "org/model", "./nowhere")]
    [InlineData("generate", "--reference", "org/model", "--aligned", "./nowhere", "Once")]
    [InlineData("generate", "--reference", "./nowhere", "--aligned", "org/model", "Once")]
    public async Task A_missing_folder_is_told_before_the_Hub_is_asked_for_anything(params string[] arguments)
    {
        await using var environment = new HubEnvironment(GoldenData.Committed("pair/sft"));
        var run = await CommandRun.OfAsync(arguments);
        Assert.Equal((1, ""), (run.Code, run.Out));
        Assert.StartsWith("dera: there is no folder './nowhere' in ", Assert.Single(Lines(run.Error)), StringComparison.Ordinal);
        Assert.Empty(environment.Hub.HubRequests);
    }

    [Fact]
    public async Task Offline_an_unknown_model_is_named()
    {
        await using var environment = new HubEnvironment(GoldenData.Committed("pair/sft"));
        environment.Set("HF_HUB_OFFLINE", "1");
        var run = await CommandRun.OfAsync("pull", "org/model");
        Assert.Equal((1, ""), (run.Code, run.Out));
        Assert.Contains("HF_HUB_OFFLINE", run.Error);
        Assert.Empty(environment.Hub.HubRequests);
    }
}
