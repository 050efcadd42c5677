using DeRa.Lab.Sampling;
using DeRa.Testing;
using Xunit;

namespace DeRa.Lab.Tests.Commands;

/// <summary>A command that is interrupted ends with the code that shells know, and says nothing of tasks and cancellations.</summary>
public sealed class InterruptedCommandTests(TinyPair pair)
{
    [Fact]
    public async Task Every_command_that_computes_ends_quietly()
    {
        using var folder = new TemporaryFolder();
        using var stopped = new CancellationTokenSource();
        await stopped.CancelAsync();
        var output = Path.Combine(folder.Path, "output");
        string[] task = ["--reference", pair.Model, "--reward", "length:3-5", "--prompts", pair.Text, "--output", output];
        string[][] commands =
        [
            [.. pair.Train(output + "-train", steps: 5)],
            ["align", .. task, "--beta", "1"],
            ["evaluate", .. task, "--aligned", pair.Model],
            ["sample", "--reference", pair.Model],
            ["loss", "--model", pair.Model, "--text", pair.Text],
            ["reproduce", "length", "--small", "--output", output + "-length"],
        ];
        foreach (var command in commands)
        {
            var run = await LabRun.OfAsync(stopped.Token, command);
            Assert.Equal(130, run.Code);
            Assert.DoesNotContain("cancel", run.Error, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain("dera-lab:", run.Error);
        }
    }

    [Fact]
    public void Sampling_stops_between_two_tokens()
    {
        using var model = pair.Load();
        using var stop = new CancellationTokenSource();
        var read = new List<int>();
        Assert.Throws<OperationCanceledException>(() =>
            Sampler.Sample(Mixture.Of(model), [[1], [2, 3]], endToken: -1, maxTokens: 40, seed: 1,
            position =>
            {
                read.Add(position);
                if (position == 3) stop.Cancel();
            }, stop.Token));
        Assert.Equal([1, 2, 3], read);
    }

    [Fact]
    public async Task Other_names_of_fields_give_the_same_texts()
    {
        using var folder = new TemporaryFolder();
        var usual = folder.Write("usual.jsonl", "{\"prompt\": \"Tom\", \"completion\": \" ran.\"}");
        var other = folder.Write("other.jsonl", "{\"completion\": \"not this\", \"q\": \"Tom\", \"chosen\": \" ran.\"}");
        string[] end = ["--model", pair.Model, "--device", "cpu", "--threads", "1"];
        var expected = await LabRun.OutputAsync(["loss", "--text", usual, .. end]);
        var given = await LabRun.OutputAsync(["loss", "--text", other, "--prompt-field", "q", "--completion-field", "chosen", .. end]);
        Assert.StartsWith($"1 texts of --text {usual}: ", expected);
        Assert.Equal(expected.Replace(usual, other, StringComparison.Ordinal), given);
    }
}
