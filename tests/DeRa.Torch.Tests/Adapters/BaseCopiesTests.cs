using System.Text.Json.Nodes;
using DeRa.Serving.Inspection;
using DeRa.Testing;
using DeRa.Torch.Adapters;
using DeRa.Torch.Execution;
using DeRa.Torch.Families;
using DeRa.Torch.Tests.Execution;
using DeRa.Torch.Tests.Weights;
using DeRa.Torch.Weights;
using Xunit;

namespace DeRa.Torch.Tests.Adapters;

/// <summary>Adapters whose file holds weights of the base model too, as PEFT saves them where a trainer touched the embeddings.</summary>
public sealed class BaseCopiesTests : IDisposable
{
    private const string Embedding = "base_model.model.model.embed_tokens.weight", Output = "base_model.model.lm_head.weight";
    private const int Hidden = 48, Vocabulary = 300;
    private readonly EditedCheckpoint _base = new(GoldenData.Committed("pair/sft"));
    private readonly EditedCheckpoint _adapter = new(GoldenData.Committed("pair/lora"), "adapter_model.safetensors");

    public void Dispose()
    {
        _base.Dispose();
        _adapter.Dispose();
    }

    [Theory]
    [InlineData(Vocabulary), InlineData(Vocabulary + 1), InlineData(Vocabulary - 12)]
    public void Rows_that_are_the_base_models_are_taken_for_its_own(int rows)
    {
        Copy(Embedding, "model.embed_tokens.weight", rows);
        Copy(Output, "lm_head.weight", rows);
        using var adapted = Load();
        using var golden = Load(GoldenData.Committed("pair/lora"));
        Assert.Equal(Distribution(golden), Distribution(adapted));
    }

    [Theory]
    [InlineData("base_model.model.lm_head.modules_to_save.weight"), InlineData("base_model.model.lm_head.original_module.weight")]
    [InlineData("base_model.model.lm_head.base_layer.weight"), InlineData(Output)]
    public void They_are_found_by_any_of_PEFTs_names(string name)
    {
        Copy(name, "lm_head.weight", Vocabulary);
        _adapter.Set("modules_to_save", new JsonArray("lm_head"), "adapter_config.json");
        Load().Dispose();
    }

    [Fact]
    public void A_norm_that_is_the_base_models_is_taken_too()
    {
        _adapter.Tensors["base_model.model.model.norm.weight"] = _base.Tensors["model.norm.weight"];
        _adapter.Tensors["base_model.model.model.layers.1.input_layernorm.weight"] = _base.Tensors["model.layers.1.input_layernorm.weight"];
        Load().Dispose();
    }

    [Theory]
    [InlineData("BF16"), InlineData("F16")]
    public void Rows_that_training_held_in_a_smaller_type_are_compared_in_that_type(string type)
    {
        Copy(Embedding, "model.embed_tokens.weight", Vocabulary);
        var values = Floats(_adapter.Tensors[Embedding].Data);
        var rounded = values.SelectMany(value =>
            BitConverter.GetBytes(type == "F16" ? BitConverter.HalfToUInt16Bits((Half)value) : BFloat16(value))).ToArray();
        _adapter.Tensors[Embedding] = (type, [Vocabulary, Hidden], rounded);
        Load().Dispose();
        rounded[777] ^= 1;
        Assert.Contains($"'{Embedding}': differs from the base model's 'model.embed_tokens.weight'", Refusal());

        static ushort BFloat16(float value) =>
            (ushort)Enumerable.Range(0, 2).Select(up => (BitConverter.SingleToUInt32Bits(value) >> 16) + (uint)up)
            .MinBy(bits => (Math.Abs((double)BitConverter.UInt32BitsToSingle(bits << 16) - value), bits & 1));
    }

    [Fact]
    public void A_tied_output_layer_is_compared_with_the_embedding()
    {
        _base.Set("tie_word_embeddings", true);
        _base.Tensors.Remove("lm_head.weight");
        Copy(Output, "model.embed_tokens.weight", Vocabulary + 1);
        Load().Dispose();
        Copy(Output, "model.norm.weight", 1);
        Assert.Contains($"tensor '{Output}': differs from the base model's 'lm_head.weight'", Refusal());
    }

    [Fact]
    public void They_are_found_where_the_base_models_names_lack_their_prefix()
    {
        using var adapter = new RandomAdapter("gpt2", ["c_attn"], isTransposed: true);
        using var edited = new EditedCheckpoint(adapter.Folder, "adapter_model.safetensors");
        using var bare = new EditedCheckpoint(GoldenData.Committed("gpt2")).WithoutPrefix("transformer.");
        edited.Tensors["base_model.model.transformer.wte.weight"] = bare.Tensors["wte.weight"];
        using var weights = Checkpoint.Open(bare.Write().Path);
        LoraAdapter.Open(edited.Write().Path, ModelConfigReader.Load(bare.Path), weights).Dispose();
    }

    public static TheoryData<string, string> Changed { get; } = new()
    {
        { Embedding, "model.embed_tokens.weight" }, { Output, "lm_head.weight" },
            { "base_model.model.lm_head.modules_to_save.weight", "lm_head.weight" },
        { "base_model.model.model.norm.weight", "model.norm.weight" },
            { "base_model.model.model.layers.0.self_attn.o_proj.weight", "model.layers.0.self_attn.o_proj.weight" },
    };

    [Theory, MemberData(nameof(Changed))]
    public void Changed_ones_are_refused_by_name(string name, string own)
    {
        var (type, shape, data) = _base.Tensors[own];
        _adapter.Tensors[name] = (type, shape, [.. data]);
        Load().Dispose();
        _adapter.Tensors[name].Data[^2] ^= 1;
        Assert.Contains($"tensor '{name}': differs from the base model's '{own}', which it would replace; only low-rank changes",
            Refusal());
        var inspection = AdapterInspection.Read(_adapter.Path, CheckpointInspection.Read(_base.Path));
        Assert.Contains($"tensor '{name}': differs", Assert.Single(inspection.Problems));
        Assert.Equal(2496, inspection.Lora.ParameterCount);
    }

    [Theory]
    [InlineData("base_model.model.score.weight", "do not account for: base_model.model.score.weight")]
    [InlineData("base_model.model.model.layers.2.input_layernorm.weight", "do not account for")]
    [InlineData("lm_head.weight", "do not account for: lm_head.weight")]
    [InlineData("base_model.model.lm_head.trainable_tokens_delta", "do not account for"),
        InlineData("base_model.model.x", "do not account for")]
    public void Others_are_refused_by_name(string name, string reason)
    {
        _adapter.Tensors["base_model.model.lm_head.weight"] = _base.Tensors["lm_head.weight"];
        _adapter.Set("modules_to_save", new JsonArray("lm_head"), "adapter_config.json");
        _adapter.Add(name, "F32", Hidden);
        Assert.Contains(reason, Refusal());
    }

    [Fact]
    public void One_of_another_shape_or_type_is_refused_by_name()
    {
        _adapter.Add(Embedding, "F32", Vocabulary, 2);
        Assert.Contains($"'{Embedding}': has shape [300, 2]; the base model asks for [300, 48]", Refusal());
        _adapter.Add(Embedding, "U8", Vocabulary, Hidden);
        Assert.Contains("holds elements of type U8", Refusal());
    }

    [Fact]
    public void Progress_counts_only_what_is_loaded()
    {
        Copy(Output, "lm_head.weight", Vocabulary);
        using var weights = Checkpoint.Open(_base.Write().Path);
        using var adapter = LoraAdapter.Open(_adapter.Write().Path, ModelConfigReader.Load(_base.Path), weights);
        Assert.Equal(4 * 2496, adapter.StoredBytes);
    }

    [Theory]
    [InlineData("lora-merge-weights-false"), InlineData("lora-regex-named-group")]
    public void The_published_cases_load(string name)
    {
        var folder = SharedCases.Find(name);
        Assert.SkipWhen(folder is null, SharedCases.Missing);
        Assert.Empty(
            AdapterInspection.Read(Path.Combine(folder!, "adapter"), CheckpointInspection.Read(Path.Combine(folder!, "base"))).Problems);
    }

    /// <summary>The first rows of the base model's tensor; rows beyond it are ones.</summary>
    private void Copy(string name, string own, int rows)
    {
        var data = Enumerable.Repeat(1f, rows * Hidden).SelectMany(BitConverter.GetBytes).ToArray();
        var stored = _base.Tensors[own].Data;
        stored.AsSpan(0, Math.Min(stored.Length, data.Length)).CopyTo(data);
        _adapter.Tensors[name] = ("F32", [rows, Hidden], data);
    }

    private static float[] Floats(byte[] data) => [.. data.Chunk(4).Select(bytes => BitConverter.ToSingle(bytes))];

    private PairExecutor Load()
    {
        _base.Write();
        return Load(_adapter.Write().Path);
    }

    private PairExecutor Load(string adapter) => GoldenPair.Load(
        GoldenPair.Options() with { ReferencePath = _base.Path, Aligned = [new("aligned", adapter)] }).Executor;

    private string Refusal() => Assert.Throws<CheckpointException>(Load).Message;

    private static double[] Distribution(PairExecutor executor) =>
        TestSequence.Distribution(new TestSequence([1, 2, 3], strength: 1, [0]).Run(executor, 1).LogProbs[0]);
}
