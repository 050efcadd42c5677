using System.Text.Json;
using DeRa.Cli.Tests.Bench;
using DeRa.Testing;
using Xunit;

namespace DeRa.Cli.Tests.Sweep;

/// <summary>Pairs of other kinds: their rows are what requests of their own give.</summary>
public sealed class SweepPairsTests : IDisposable
{
    private readonly TestFolder _folder = new();
    private readonly TemporaryFolder _altered = new();

    public void Dispose()
    {
        _folder.Dispose();
        _altered.Dispose();
    }

    [Theory]
    [InlineData("pair/sft", "pair/lora")]
    [InlineData("qwen2", "")]
    public async Task An_adapter_and_another_family_are_swept(string reference, string aligned)
    {
        string[] pair = ["--reference", GoldenData.Committed(reference), "--aligned", aligned.Length > 0 ? GoldenData.Committed(aligned)
            : AlteredModel.Write(_altered, GoldenData.Committed(reference)).Path];
        var rows = await RunAsync("rows", pair);
        Assert.Equal(2 * 3, rows.Length);
        foreach (var row in rows.Select(line => JsonElement.Parse(line)))
        {
            var alone = await CommandRun.OfAsync(["generate", .. pair, "--device", "cpu", "--strength",
                row.GetProperty("alignment_strength").GetRawText(), "--seed", row.GetProperty("seed").GetRawText(), "--max-tokens", "12",
                "--", row.GetProperty("prompt").GetString()!]);
            Assert.True(alone.Code == 0, alone.Error);
            Assert.Equal(alone.Out,
                row.GetProperty("prompt").GetString() + row.GetProperty("completion").GetString() + Environment.NewLine);
        }
        Assert.Equal(3, rows.Take(3).Select(row => JsonElement.Parse(row).GetProperty("completion").GetString()).Distinct().Count());
    }

    [Fact]
    public async Task Of_several_aligned_models_the_first_is_swept()
    {
        string[] reference = ["--reference", GoldenData.Committed("pair/sft")];
        var (dpo, lora) = (GoldenData.Committed("pair/aligned"), GoldenData.Committed("pair/lora"));
        var alone = await RunAsync("alone", [.. reference, "--aligned", dpo]);
        Assert.Equal(alone, await RunAsync("both", [.. reference, "--aligned", $"dpo={dpo}", "--aligned", $"lora={lora}"]));
        Assert.NotEqual(alone, await RunAsync("swapped", [.. reference, "--aligned", $"lora={lora}", "--aligned", $"dpo={dpo}"]));
    }

    [Fact]
    public async Task What_the_folders_ask_for_does_not_filter_a_sweep()
    {
        string[] Pair(string aligned) => ["--reference", GoldenData.Committed("pair/sft"), "--aligned", aligned];
        var asking = _folder.File("asking");
        Directory.CreateDirectory(asking);
        foreach (var file in Directory.GetFiles(GoldenData.Committed("pair/aligned")))
            File.Copy(file, Path.Combine(asking, Path.GetFileName(file)));
        File.WriteAllText(Path.Combine(asking, "generation_config.json"), """
            {"do_sample": true, "top_k": 1, "top_p": 0.1, "min_p": 0.9, "repetition_penalty": 1.9, "eos_token_id": 2}
            """);
        Assert.Equal(
            await RunAsync("plain", Pair(GoldenData.Committed("pair/aligned"))), await RunAsync("filtered", Pair(asking)));
    }

    private async Task<string[]> RunAsync(string folder, string[] pair)
    {
        File.WriteAllLines(_folder.File("prompts.txt"), ["Once upon", "One day"]);
        var run = await CommandRun.OfAsync(["sweep", .. pair, "--device", "cpu", "--prompts", _folder.File("prompts.txt"),
            "--strengths", "0,1,2.5", "--samples", "1", "--max-tokens", "12", "--reward", "story", "--seed", "5",
            "--output", _folder.File(folder)]);
        Assert.True(run.Code == 0, run.Error);
        return File.ReadAllLines(_folder.File($"{folder}/results.jsonl"));
    }
}
