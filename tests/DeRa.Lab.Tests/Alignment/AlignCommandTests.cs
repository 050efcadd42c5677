using System.Text.Json;
using DeRa.Lab.Tests.Commands;
using DeRa.Testing;
using Xunit;

namespace DeRa.Lab.Tests.Alignment;

/// <summary>Alignment from the command line to the model on disk.</summary>
public sealed class AlignCommandTests(TinyPair pair) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Policy_gradient_raises_the_reward()
    {
        var curve = await AlignAsync("policy-gradient", beta: "0.05", steps: 60);
        var rewards = curve.Select(line => line.GetProperty("reward").GetDouble()).ToArray();
        // About half of the texts have one sentence; a batch of 64 strays from that by .06.
        Assert.InRange(rewards[0], -0.8, -0.25);
        Assert.InRange(rewards[^5..].Average(), -0.1, 0);
        Assert.True(curve[^1].GetProperty("kl").GetDouble() > 0.1);
    }

    [Fact]
    public async Task A_very_large_beta_keeps_the_model_by_its_reference()
    {
        var curve = await AlignAsync("policy-gradient", beta: "1000", steps: 40);
        Assert.InRange(curve[^5..].Average(line => line.GetProperty("kl").GetDouble()), 0, 0.05);
    }

    [Theory]
    [InlineData("grpo")]
    [InlineData("dpo")]
    [InlineData("dpo-hard")]
    [InlineData("brain")]
    public async Task Every_method_learns_and_records_what_happens(string method)
    {
        var curve = await AlignAsync(method, beta: "0.1", steps: 5);
        Assert.Equal(["step", "loss", "reward", "kl", "tokens", "gradient_norm"], curve[0].EnumerateObject().Select(field => field.Name));
        Assert.Equal([1, 2, 3, 4, 5], curve.Select(line => line.GetProperty("step").GetInt32()));
        Assert.Equal(0, curve[0].GetProperty("kl").GetDouble(), 1e-6);
        Assert.All(curve[1..], line => Assert.True(line.GetProperty("kl").GetDouble() > 0));
        Assert.All(curve, line => Assert.InRange(line.GetProperty("tokens").GetDouble(), 1, 24));
        Assert.All(curve, line => Assert.InRange(line.GetProperty("reward").GetDouble(), -1, 0));
    }

    [Fact]
    public async Task Other_prompts_are_another_run()
    {
        await AlignAsync("brain", "0.1", steps: 2);
        var others = _folder.Write(
            "others.txt", (await File.ReadAllTextAsync(pair.Text, TestContext.Current.CancellationToken)).Replace("Tom", "Jim"));
        var run = await LabRun.OfAsync([.. Arguments("brain", "0.1", 2).Select(arg => arg == pair.Text ? others : arg)]);
        Assert.Equal(2, run.Code);
        Assert.Contains("other settings", run.Error);
    }

    private string Output => Path.Combine(_folder.Path, "aligned");

    private async Task<JsonElement[]> AlignAsync(string method, string beta, int steps)
    {
        await LabRun.OutputAsync(Arguments(method, beta, steps));
        Assert.True(File.Exists(Path.Combine(Output, "model.safetensors")) && File.Exists(Path.Combine(Output, "tokenizer.json")));
        return [.. (await File.ReadAllLinesAsync(Path.Combine(Output, "training.jsonl"), TestContext.Current.CancellationToken))
            .Select(line => JsonDocument.Parse(line).RootElement)];
    }

    private string[] Arguments(string method, string beta, int steps) =>
    [
        "align", "--reference", pair.Model, "--output", Output, "--method", method, "--beta", beta, "--reward", "length:0-5",
        "--prompts", pair.Text, "--prompt-tokens", "2", "--prompts-per-step", "8", "--completions", "8", "--max-tokens", "24",
        "--steps", $"{steps}", "--warmup-steps", "2",
        "--learning-rate", "2e-3", "--device", "cpu", "--threads", "1",
    ];
}
