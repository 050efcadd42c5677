using System.Text;
using System.Text.Json.Nodes;
using DeRa.Torch.Configuration;
using DeRa.Torch.Families;
using DeRa.Torch.Weights;
using Xunit;

namespace DeRa.Torch.Tests.Families;

/// <summary>What each family beyond Llama's own spelling means, and what it refuses.</summary>
public sealed class FamilyConfigTests
{
    [Fact]
    public void Qwen3_has_norms_on_heads_of_their_own_width_and_biases_only_where_switched_on()
    {
        var config = Parse(PublishedConfigs.Qwen3);
        Assert.Equal((ModelFamily.Qwen3, true, 128, 128, false),
            (config.Family, config.HasHeadNorms, config.HeadDimension, config.RotaryDimension, config.QueryKeyValueBias));
        Assert.All(config.WindowTokens, window => Assert.Null(window));
        Assert.Equal(128, Parse(Without(PublishedConfigs.Qwen3, "head_dim")).HeadDimension);
        var biased = Parse(With(PublishedConfigs.Qwen3, ("attention_bias", true)));
        Assert.True(biased is { QueryKeyValueBias: true, AttentionOutputBias: true, FeedForwardBias: false });
        var windowed =
            Parse(With(PublishedConfigs.Qwen3, ("use_sliding_window", true), ("sliding_window", 100), ("max_window_layers", 26)));
        Assert.Equal([.. Enumerable.Repeat<int?>(null, 26), 100, 100], windowed.WindowTokens);
    }

    [Fact]
    public void Gemma_2_has_caps_scales_and_a_window_in_every_other_layer()
    {
        var config = Parse(PublishedConfigs.Gemma2);
        Assert.Equal((50.0, 30.0, 1 / 16.0, 48.0),
            (config.AttentionSoftCap, config.FinalSoftCap, config.AttentionScale, config.EmbeddingScale));
        Assert.True(config is { HasOutputNorms: true, TiedEmbeddings: true, IsGated: true, Activation: Activation.GeluTanh });
        Assert.Equal(Enumerable.Range(0, 26).Select(layer => layer % 2 == 0 ? 4096 : (int?)null), config.WindowTokens);
    }

    [Fact]
    public void Gemma_2_has_other_values_where_its_file_says_so()
    {
        var config = Parse(With(PublishedConfigs.Gemma2, ("attn_logit_softcapping", null), ("final_logit_softcapping", null),
            ("query_pre_attn_scalar", 144), ("num_hidden_layers", 3), ("sliding_window_size", 4096),
            ("layer_types", JsonNode.Parse("""["full_attention","sliding_attention","full_attention"]"""))));
        Assert.Equal((null, null, 1 / 12.0), (config.AttentionSoftCap, config.FinalSoftCap, config.AttentionScale!.Value));
        Assert.Equal([null, 4096, null], config.WindowTokens);
        var absent = Parse(Without(PublishedConfigs.Gemma2, "attn_logit_softcapping", "final_logit_softcapping", "query_pre_attn_scalar",
            "hidden_activation", "sliding_window"));
        Assert.Equal((50.0, 30.0, 1 / 16.0, 4096),
            (absent.AttentionSoftCap, absent.FinalSoftCap, absent.AttentionScale, absent.WindowTokens[0]));
    }

    [Fact]
    public void Gpt_2_has_learned_positions_and_an_inner_width_of_four_times_its_width_unless_given()
    {
        var config = Parse(PublishedConfigs.Gpt2);
        Assert.Equal((768, 3072, 64, 1024, 0),
            (config.HiddenSize, config.IntermediateSize, config.HeadDimension, config.ContextTokens, config.RotaryDimension));
        Assert.True(
            config is { Norm: NormKind.Layer, NormEpsilon: 1e-5, IsGated: false, TiedEmbeddings: true, Activation: Activation.GeluTanh });
        Assert.Equal(1000, Parse(With(PublishedConfigs.Gpt2, ("n_inner", 1000))).IntermediateSize);
    }

    [Theory]
    [InlineData("gelu", Activation.Gelu), InlineData("gelu_new", Activation.GeluTanh), InlineData("gelu_fast", Activation.GeluTanh)]
    [InlineData("gelu_pytorch_tanh", Activation.GeluTanh), InlineData("quick_gelu", Activation.QuickGelu),
        InlineData("relu", Activation.Relu)]
    public void Activations_have_the_names_of_Hugging_Face(string name, Activation expected) =>
        Assert.Equal(expected, Parse(With(PublishedConfigs.Gpt2, ("activation_function", name))).Activation);

    [Theory]
    [InlineData(PublishedConfigs.Pythia1B, 256, 64), InlineData(PublishedConfigs.Pythia7B, 128, 32)]
    public void Pythia_turns_a_quarter_of_each_head_and_runs_both_branches_side_by_side(string json, int headDimension, int rotaryDimension)
    {
        var config = Parse(json);
        Assert.Equal((headDimension, rotaryDimension, 10_000.0), (config.HeadDimension, config.RotaryDimension, config.RotaryBase));
        Assert.True(config is { IsParallel: true, IsGated: false, Norm: NormKind.Layer, TiedEmbeddings: false });
        Assert.True(config is { QueryKeyValueBias: true, FeedForwardBias: true });
        Assert.False(Parse(With(json, ("use_parallel_residual", false))).IsParallel);
        var unbiased = Parse(With(json, ("attention_bias", false)));
        Assert.True(unbiased is { QueryKeyValueBias: false, AttentionOutputBias: false, FeedForwardBias: true });
    }

    [Fact]
    public void Pythia_in_the_newer_spelling_is_the_same()
    {
        var newer = With(Without(PublishedConfigs.Pythia1B, "rotary_pct", "rotary_emb_base"),
            ("rope_parameters", JsonNode.Parse("""{"rope_theta":20000,"partial_rotary_factor":0.5,"rope_type":"linear","factor":2}""")));
        var config = Parse(newer);
        Assert.Equal((128, 20_000.0, new RotaryScaling.Linear(2)), (config.RotaryDimension, config.RotaryBase, config.RotaryScaling));
    }

    [Fact]
    public void Yarn_has_the_defaults_of_Hugging_Face()
    {
        var given = Yarn("""{"type":"yarn","factor":4,"original_max_position_embeddings":1024}""");
        Assert.Equal(new RotaryScaling.Yarn(4, 1024, 0.1 * Math.Log(4) + 1, 32, 1, Truncates: true), given);
        Assert.Equal(4096, Yarn("""{"type":"yarn","factor":4}""").OriginalContextTokens);
        Assert.Equal(2, Yarn("""{"rope_type":"yarn","factor":null,"original_max_position_embeddings":2048}""").Factor);
        var all = Yarn("""{"rope_type":"yarn","factor":8,"attention_factor":1.5,"beta_fast":16,"beta_slow":2,"mscale":1,"""
            + """ "mscale_all_dim":0.5,"truncate":false}""");
        Assert.Equal(new RotaryScaling.Yarn(8, 4096, 1.5, 16, 2, Truncates: false), all);
        Assert.Equal(1.16 / 1.08, Yarn("""{"type":"yarn","factor":4.953032424395115,"mscale":1,"mscale_all_dim":0.5}""").AttentionFactor,
            1e-12);

        static RotaryScaling.Yarn Yarn(string scaling) =>
            Assert.IsType<RotaryScaling.Yarn>(
                Parse(With(PublishedConfigs.Llama2, ("rope_scaling", JsonNode.Parse(scaling)))).RotaryScaling);
    }

    public static TheoryData<string, string, string, string> Refused { get; } = new()
    {
        { PublishedConfigs.Gpt2, "scale_attn_weights", "false", "'scale_attn_weights' is false, which is not supported" },
        { PublishedConfigs.Gpt2, "scale_attn_by_inverse_layer_idx", "true", "'scale_attn_by_inverse_layer_idx' is true" },
        { PublishedConfigs.Gpt2, "reorder_and_upcast_attn", "true", "'reorder_and_upcast_attn' is true" },
        { PublishedConfigs.Gpt2, "add_cross_attention", "true", "'add_cross_attention' is true" },
        { PublishedConfigs.Gpt2, "activation_function", "\"tanh\"",
            "'activation_function' is 'tanh', which is not supported (supported: silu" },
        { PublishedConfigs.Gpt2, "n_head", "10", "'n_head' is 10; it must divide n_embd, 768" },
        { PublishedConfigs.Gpt2, "n_positions", "0", "from 1" },
        { PublishedConfigs.Gpt2, "n_inner", "0", "from 1" },
        { PublishedConfigs.Gpt2, "rope_theta", "10000", "'rope_theta' is 10000, which is not supported" },
        { PublishedConfigs.Pythia1B, "rotary_pct", "0.02", "'rotary_pct' rotates 5 of 256 dimensions" },
        { PublishedConfigs.Pythia1B, "rotary_pct", "1.5", "at most 1" },
        { PublishedConfigs.Pythia1B, "partial_rotary_factor", "0.5", "'rotary_pct' is 0.25, but 'partial_rotary_factor' is 0.5" },
        { PublishedConfigs.Pythia1B, "rope_theta", "500000", "'rotary_emb_base' is 10000, but 'rope_theta' is 500000" },
        { PublishedConfigs.Pythia1B, "num_attention_heads", "6", "must divide hidden_size, 2048" },
        { PublishedConfigs.Pythia1B, "hidden_act", "\"swiglu\"", "'hidden_act' is 'swiglu'" },
        { PublishedConfigs.Gemma2, "hidden_act", "\"gelu\"", "'hidden_act' is 'gelu', but 'hidden_activation' is 'gelu_pytorch_tanh'" },
        { PublishedConfigs.Gemma2, "sliding_window_size", "1024", "'sliding_window_size' is 1024, but 'sliding_window' is 4096" },
        { PublishedConfigs.Gemma2, "attn_logit_softcapping", "0", "above 0" },
        { PublishedConfigs.Gemma2, "use_bidirectional_attention", "true", "'use_bidirectional_attention' is true" },
        { PublishedConfigs.Gemma2, "layer_types", """["full_attention"]""", "one for each of 26 layers" },
        { PublishedConfigs.Gemma2, "partial_rotary_factor", "0.5", "'partial_rotary_factor' is 0.5" },
        { PublishedConfigs.Qwen3, "num_experts", "8", "'num_experts' is 8" },
        { PublishedConfigs.Qwen3, "attn_logit_softcapping", "30", "'attn_logit_softcapping' is 30" },
        { PublishedConfigs.Qwen3, "head_dim", "127", "must be even" },
    };

    [Theory, MemberData(nameof(Refused))]
    public void What_a_family_does_not_implement_is_refused_by_name(string json, string field, string value, string reason) =>
        Assert.Contains(reason, Assert.Throws<CheckpointException>(() => Parse(With(json, (field, JsonNode.Parse(value))))).Message);

    private static ModelConfig Parse(string json) => ModelConfigReader.Parse("config.json", Encoding.UTF8.GetBytes(json));

    private static string With(string json, params (string Name, JsonNode? Value)[] changes)
    {
        var config = JsonNode.Parse(json)!.AsObject();
        foreach (var (name, value) in changes) config[name] = value;
        return config.ToJsonString();
    }

    private static string Without(string json, params string[] names)
    {
        var config = JsonNode.Parse(json)!.AsObject();
        foreach (var name in names) config.Remove(name);
        return config.ToJsonString();
    }
}
