using System.Runtime.InteropServices;
using System.Text.Json;
using DeRa.Lab.Models;
using DeRa.Testing;
using DeRa.Torch.Configuration;
using DeRa.Torch.Families;
using DeRa.Torch.Native;
using DeRa.Torch.Verification;
using Xunit;
using static TorchSharp.torch;

namespace DeRa.Lab.Tests.Models;

/// <summary>What the Lab writes, read by the server's own loader and decoder.</summary>
public sealed class ModelFolderTests
{
    [Theory]
    [InlineData("llama-llama3")]
    [InlineData("pair/sft")]
    public void A_model_read_and_written_gives_the_golden_logits_in_the_engine(string name)
    {
        var source = GoldenData.Committed(name);
        using var folder = new TemporaryFolder();
        using (var model = TrainableDecoder.Load(source, CPU)) ModelFolder.Write(folder.Path, model, source, ScalarType.Float32);
        foreach (var file in Directory.GetFiles(Path.Combine(source, "golden")))
            folder.Copy(file, Path.Combine("golden", Path.GetFileName(file)));
        AssertEngineAgrees(folder.Path);
    }

    [Theory]
    [InlineData(ScalarType.Float32, true)]
    [InlineData(ScalarType.BFloat16, true)]
    [InlineData(ScalarType.BFloat16, false)]
    public void A_new_model_gives_the_engine_the_logits_that_it_gives_the_Lab(ScalarType type, bool tied)
    {
        var tokenizer = GoldenData.Committed("pair/sft");
        using var folder = new TemporaryFolder();
        var shape = PlainShape.Of(300, hidden: 24, intermediate: 40, layers: 2, heads: 3, context: 32) with { TiedEmbeddings = tied };
        using (var model = TrainableDecoder.Create(shape, seed: 5, CPU)) ModelFolder.Write(folder.Path, model, tokenizer, type);
        using var stored = TrainableDecoder.Load(folder.Path, CPU);
        Assert.Equal(tied, stored.Config.TiedEmbeddings);
        Assert.Equal(type, stored.Config.ElementType);
        WriteGolden(folder.Path, stored);
        AssertEngineAgrees(folder.Path);
    }

    [Fact]
    public void Rounding_to_bfloat16_loses_what_bfloat16_loses()
    {
        using var folder = new TemporaryFolder();
        using var model = TrainableDecoder.Create(PlainShape.Of(300, 24, 40, 2, 3, 32), seed: 5, CPU);
        ModelFolder.Write(folder.Path, model, GoldenData.Committed("pair/sft"), ScalarType.BFloat16);
        using var stored = TrainableDecoder.Load(folder.Path, CPU);
        foreach (var ((name, exact), (_, rounded)) in model.Weights.Zip(stored.Weights))
        {
            using var scope = NewDisposeScope();
            var relative = (rounded.detach() - exact.detach()).abs() / exact.detach().abs().clamp_min(1e-30);
            Assert.True(relative.max().item<float>() <= 1 / 256f, name);
        }
        Assert.Equal(
            ModelConfigReader.Load(folder.Path) with { ElementType = null, WindowTokens = [] }, model.Config with { WindowTokens = [] });
    }

    [Fact]
    public void A_context_that_scaling_stretches_stays_what_it_is()
    {
        using var folder = new TemporaryFolder();
        var shape = PlainShape.Of(300, 24, 40, 2, 3, context: 100) with { RotaryScaling = new RotaryScaling.Linear(2.5) };
        using var model = TrainableDecoder.Create(shape, seed: 5, CPU);
        ModelFolder.Write(folder.Path, model, GoldenData.Committed("pair/sft"), ScalarType.Float32);
        var stored = ModelConfigReader.Load(folder.Path);
        Assert.Equal((100, shape.RotaryScaling), (stored.ContextTokens, stored.RotaryScaling));
    }

    [Fact]
    public void The_tokenizer_and_its_end_come_along()
    {
        var source = GoldenData.Committed("pair/sft");
        using var folder = new TemporaryFolder();
        using (var model = TrainableDecoder.Load(source, CPU)) ModelFolder.Write(folder.Path, model, source, ScalarType.BFloat16);
        Assert.Equal(ModelFolder.EndToken(source), ModelFolder.EndToken(folder.Path));
        foreach (var file in (string[])["tokenizer.json", "tokenizer_config.json"])
            Assert.Equal(File.ReadAllBytes(Path.Combine(source, file)), File.ReadAllBytes(Path.Combine(folder.Path, file)));
        using var written = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder.Path, "generation_config.json")));
        using var original = JsonDocument.Parse(File.ReadAllText(Path.Combine(source, "generation_config.json")));
        Assert.Equal(original.RootElement.GetProperty("bos_token_id").GetInt32(),
            written.RootElement.GetProperty("bos_token_id").GetInt32());
        Assert.False(written.RootElement.TryGetProperty("stop_strings", out _));
        Assert.DoesNotContain(Directory.GetFiles(folder.Path), file => file.EndsWith(".tmp", StringComparison.Ordinal));
    }

    private static void AssertEngineAgrees(string folder)
    {
        var report = GoldenVerification.Run(folder, DeviceOption.Cpu, new NumberOptions { DType = DTypeOption.Parse("float32") });
        Assert.True(report.Passed, string.Join('\n', report.Checks));
        Assert.All(report.Checks, check => Assert.InRange(check.LargestDifference, 0, 1e-4));
    }

    private static void WriteGolden(string folder, TrainableDecoder model)
    {
        using var scope = NewDisposeScope();
        using var gradientsOff = no_grad();
        int[] tokens = [.. Enumerable.Range(0, 30).Select(i => 7 * i % 300)];
        var logits = model.Logits(tensor(tokens.Select(token => (long)token).ToArray()).unsqueeze(0)).to(ScalarType.Float64);
        Directory.CreateDirectory(Path.Combine(folder, "golden"));
        File.WriteAllBytes(Path.Combine(folder, "golden", "lab.f64"),
            MemoryMarshal.AsBytes(logits.data<double>().ToArray().AsSpan()).ToArray());
        var file = new { file = "lab.f64", shape = (long[])[30, 300] };
        File.WriteAllText(Path.Combine(folder, "golden", "golden.json"), JsonSerializer.Serialize(new
        {
            cases = new[] { new { name = "lab", input_ids = tokens, greedy_ids = Array.Empty<int>(), logits = file } },
        }));
    }
}
