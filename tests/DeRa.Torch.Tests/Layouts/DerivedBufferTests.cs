using DeRa.Testing;
using DeRa.Torch.Native;
using DeRa.Torch.Tests.Weights;
using DeRa.Torch.Verification;
using DeRa.Torch.Weights;
using Xunit;

namespace DeRa.Torch.Tests.Layouts;

/// <summary>Tables and masks that the configuration determines change nothing, wherever they are stored and in whatever type.</summary>
public sealed class DerivedBufferTests
{
    private static readonly (string Name, long[] Shape)[] Masks =
        [("bias", [1, 1, 8, 8]), ("masked_bias", []), ("causal_mask", [8, 8]), ("position_ids", [1, 8])];

    private static readonly string[] Rotary =
        ["inv_freq", "original_inv_freq", "cos_cached", "sin_cached", "cos", "sin"];

    public static TheoryData<string> Families => [.. GoldenData.CommittedModels];

    [Theory, MemberData(nameof(Families))]
    public void They_are_ignored_at_every_level_with_and_without_prefix(string golden)
    {
        using var edited = new EditedCheckpoint(GoldenData.Committed(golden));
        var layout = EditedCheckpoint.Layout(edited.Path);
        var attention = layout.Layer.Attention;
        foreach (var prefix in new[] { layout.Base, "" })
        {
            foreach (var place in new[] { "", $"{layout.LayersModule}.0.", $"{layout.LayersModule}.1.{attention}.", $"{attention}." })
                if (golden != "gpt2")
                    foreach (var table in Rotary) edited.Add($"{prefix}{place}rotary_emb.{table}", "F32", 1, 1, 16, 4);
            foreach (var (name, shape) in Masks) edited.Add($"{prefix}{layout.LayersModule}.0.{attention}.{name}", "F32", shape);
            edited.Add($"{prefix}causal_mask", "BOOL", 8, 8).Add($"{prefix}position_ids", "I64", 1, 8);
        }
        AssertGolden(edited.Write());
    }

    public static TheoryData<string> Types =>
        ["F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2", "F4", "I64", "I32", "I16", "I8", "U64", "U32", "U16", "U8", "BOOL"];

    [Theory, MemberData(nameof(Types))]
    public void They_are_ignored_in_every_type(string type)
    {
        using var llama = new EditedCheckpoint(GoldenData.Committed("pair/sft"));
        llama.Add("model.layers.0.self_attn.rotary_emb.inv_freq", type, 6).Add("model.rotary_emb.cos_cached", type, 4, 6);
        AssertGolden(llama.Write());
        using var gpt2 = new EditedCheckpoint(GoldenData.Committed("gpt2"));
        AssertGolden(gpt2.Add("transformer.h.0.attn.bias", type, 1, 1, 8, 8).Write());
    }

    [Theory]
    [InlineData("pair/sft", "model.layers.2.self_attn.rotary_emb.inv_freq"),
        InlineData("pair/sft", "model.layers.x.self_attn.rotary_emb.inv_freq")]
    [InlineData("pair/sft", "other.rotary_emb.inv_freq"), InlineData("pair/sft", "model.rotary_emb.scale"),
        InlineData("pair/sft", "inv_freq")]
    [InlineData("gpt2", "transformer.rotary_emb.inv_freq"), InlineData("gpt2", "transformer.h.0.mlp.bias"), InlineData("gpt2", "bias")]
    public void Others_are_refused_by_name(string golden, string name)
    {
        using var edited = new EditedCheckpoint(GoldenData.Committed(golden));
        edited.Add(name, "F32", 1, 1, 8, 8).Write();
        Assert.Contains($"does not account for: {name}", Assert.Throws<CheckpointException>(() => Run(edited)).Message);
    }

    [Theory]
    [InlineData("model.layers.0.self_attn.bias"), InlineData("model.layers.0.self_attn.masked_bias")]
    public void What_may_be_a_bias_of_attention_is_no_mask(string name)
    {
        using var edited = new EditedCheckpoint(GoldenData.Committed("pair/sft"));
        edited.Add(name, "F32", 48).Write();
        Assert.Contains($"does not account for: {name}", Assert.Throws<CheckpointException>(() => Run(edited)).Message);
    }

    [Theory]
    [InlineData("rotary-cache-llama"), InlineData("rotary-cache-mistral"), InlineData("rotary-inv-freq-model-level")]
    public void The_published_cases_load(string name)
    {
        var folder = SharedCases.Find(name + "/model");
        Assert.SkipWhen(folder is null, SharedCases.Missing);
        Assert.Empty(DeRa.Serving.Inspection.ModelInspection.Read(folder!).Problems);
    }

    private static void AssertGolden(EditedCheckpoint edited)
    {
        var report = Run(edited);
        Assert.True(report.Passed, string.Join(Environment.NewLine, report.Checks.Where(check => !check.Passed)));
    }

    private static GoldenReport Run(EditedCheckpoint edited) =>
        GoldenVerification.Run(edited.Path, DeviceOption.Cpu, new NumberOptions { DType = DTypeOption.Parse("float32") });
}
