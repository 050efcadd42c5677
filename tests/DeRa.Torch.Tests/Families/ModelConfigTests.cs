using System.Text;
using System.Text.Json.Nodes;
using DeRa.Testing;
using DeRa.Torch.Configuration;
using DeRa.Torch.Families;
using DeRa.Torch.Weights;
using TorchSharp;
using Xunit;

namespace DeRa.Torch.Tests.Families;

public sealed class ModelConfigTests
{
    [Fact]
    public void Llama_2_loads_with_the_rotary_base_that_its_file_omits()
    {
        var config = Parse(PublishedConfigs.Llama2);
        Assert.Equal((ModelFamily.Llama, 128, 10_000.0), (config.Family, config.HeadDimension, config.RotaryBase));
        Assert.Equal(torch.ScalarType.Float16, config.ElementType);
        Assert.False(config.TiedEmbeddings || config.QueryKeyValueBias || config.AttentionOutputBias || config.FeedForwardBias);
        Assert.All(config.WindowTokens, window => Assert.Null(window));
    }

    [Fact]
    public void Llama_1_loads_with_the_context_length_that_its_files_repeat()
    {
        var file = JsonNode.Parse(PublishedConfigs.Llama2)!.AsObject();
        file.Remove("num_key_value_heads");
        (file["max_position_embeddings"], file["max_sequence_length"]) = (2048, 2048);
        Assert.Equal((2048, 32), (Parse(file.ToJsonString()).ContextTokens, Parse(file.ToJsonString()).KeyValueHeadCount));
    }

    [Fact]
    public void Llama_3_loads_with_its_frequency_scaling()
    {
        var config = Parse(PublishedConfigs.Llama32);
        Assert.Equal(new RotaryScaling.Llama3(32, 1, 4, 8192), config.RotaryScaling);
        Assert.Equal((500_000.0, 64, 8, 131_072, true),
            (config.RotaryBase, config.HeadDimension, config.KeyValueHeadCount, config.ContextTokens, config.TiedEmbeddings));
    }

    [Fact]
    public void Zephyr_has_a_window_in_every_layer_and_Mistral_Nemo_none()
    {
        Assert.Equal(Enumerable.Repeat<int?>(4096, 32), Parse(PublishedConfigs.Zephyr).WindowTokens);
        var nemo = Parse(PublishedConfigs.MistralInstruct);
        Assert.Equal(Enumerable.Repeat<int?>(null, 40), nemo.WindowTokens);
        Assert.Equal(128, nemo.HeadDimension);
    }

    [Fact]
    public void Qwen_has_biases_and_no_window_unless_it_is_switched_on()
    {
        foreach (var config in new[] { Parse(PublishedConfigs.Qwen15), Parse(PublishedConfigs.Qwen25Math) })
        {
            Assert.True(config is { QueryKeyValueBias: true, AttentionOutputBias: false, FeedForwardBias: false });
            Assert.All(config.WindowTokens, window => Assert.Null(window));
        }
        var windowed = Parse(With(PublishedConfigs.Qwen15, ("use_sliding_window", true), ("sliding_window", 100)));
        Assert.Equal([.. Enumerable.Repeat<int?>(null, 21), 100, 100, 100], windowed.WindowTokens);
    }

    [Fact]
    public void DeepSeekMath_loads() =>
        Assert.Equal((30, 102_400), (Parse(PublishedConfigs.DeepSeekMath).LayerCount, Parse(PublishedConfigs.DeepSeekMath).VocabularySize));

    [Theory]
    [InlineData("LLaMAForCausalLM"), InlineData("FSDPLlamaForCausalLM"), InlineData("TFLlamaForCausalLM"),
        InlineData("FlaxLlamaForCausalLM")]
    public void Other_spellings_of_Llamas_class_are_Llama(string name) =>
        Assert.Equal(ModelFamily.Llama, Parse(With(PublishedConfigs.Llama2, ("architectures", new JsonArray(name)))).Family);

    [Fact]
    public void The_newer_spelling_loads()
    {
        var config = Parse(PublishedConfigs.Newer);
        Assert.Equal([null, 512, null], config.WindowTokens);
        Assert.Equal((1_000_000.0, null, torch.ScalarType.BFloat16), (config.RotaryBase, config.RotaryScaling, config.ElementType));
    }

    [Theory]
    [InlineData("""{"type":"linear","factor":2}"""), InlineData("""{"rope_type":"linear","factor":2.0}""")]
    [InlineData("""{"type":"linear","rope_type":"linear","factor":2}""")]
    public void Linear_scaling_has_two_spellings(string scaling) =>
        Assert.Equal(new RotaryScaling.Linear(2),
            Parse(With(PublishedConfigs.Llama2, ("rope_scaling", JsonNode.Parse(scaling)))).RotaryScaling);

    [Theory]
    [InlineData("flash_attn", "true"), InlineData("use_flash_attn", "\"auto\""), InlineData("drop_path_rate", "0.1"),
        InlineData("n_ctx", "2048")]
    public void What_cannot_change_the_mathematics_is_passed_over(string field, string value) =>
        Assert.Equivalent(Parse(PublishedConfigs.Llama2), Parse(With(PublishedConfigs.Llama2, (field, JsonNode.Parse(value)))),
            strict: true);

    public static TheoryData<string, string, string> Refused { get; } = new()
    {
        { "architectures", """["FalconForCausalLM"]""", "(supported: LlamaForCausalLM, MistralForCausalLM, Qwen2ForCausalLM, "
            + "Qwen3ForCausalLM, Gemma2ForCausalLM, GPT2LMHeadModel, GPTNeoXForCausalLM)" },
        { "architectures", """["LlamaForSequenceClassification"]""", "LlamaForSequenceClassification" },
        { "architectures", """["TFForCausalLM"]""", "TFForCausalLM" },
        { "layer_types", "[3]", "'layer_types' is [3], which is not supported" },
        { "rotary_emb_base", "10000", "'rotary_emb_base' is 10000, which is not supported" },
        { "rope_condense_ratio", "8", "'rope_condense_ratio' is 8, which is not supported" },
        { "architectures", """["MistralForCausalLM"]""", "model_type 'llama'" },
        { "model_type", "\"qwen3\"", "[LlamaForCausalLM] with model_type 'qwen3'" },
        { "hidden_act", "\"mish\"", "'hidden_act' is 'mish', which is not supported (supported: silu, swish, gelu, gelu_python, gelu_new, "
            + "gelu_fast, gelu_pytorch_tanh, quick_gelu, relu)" },
        { "rope_scaling", """{"type":"longrope","factor":4}""",
            "'rope_scaling.rope_type' is 'longrope', which is not supported (supported: default, linear, llama3, yarn)" },
        { "rope_scaling", """{"type":"yarn","factor":4,"beta_fast":1}""", "'rope_scaling.beta_fast' is 1; it must be above beta_slow, 1" },
        { "rope_scaling", """{"type":"yarn","factor":0.5}""", "at least 1" },
        { "rope_scaling", """{"type":"yarn","factor":4,"attention_factor":0}""", "'rope_scaling.attention_factor' is 0" },
        { "rope_scaling", """{"type":"yarn","factor":4,"finetuned":true}""", "'rope_scaling.finetuned' is true, which is not supported" },
        { "rope_scaling", """{"type":"dynamic","factor":2}""", "'dynamic'" },
        { "rope_scaling", """{"type":"linear"}""", "'rope_scaling.factor' is missing" },
        { "rope_scaling", """{"type":"linear","factor":0.5}""", "at least 1" },
        { "rope_scaling", """{"type":"linear","factor":2,"attention_factor":1.5}""", "'rope_scaling.attention_factor' is 1.5" },
        { "rope_scaling", """{"type":"linear","rope_type":"llama3","factor":2}""", "'rope_scaling.type'" },
        { "rope_scaling",
            """{"rope_type":"llama3","factor":8,"low_freq_factor":4,"high_freq_factor":4,"original_max_position_embeddings":8192}""",
            "high_freq_factor" },
        { "rope_scaling", "3", "an object or null" },
        { "rope_parameters", """{"rope_type":"default","rope_theta":10000,"partial_rotary_factor":0.5}""", "partial_rotary_factor" },
        { "rope_parameters", """{"full_attention":{"rope_type":"default"}}""", "'rope_parameters.full_attention'" },
        { "rope_theta", "0", "above 0" },
        { "rope_theta", "1e999", "above 0" },
        { "quantization_config", """{"bits":4}""", "F32, F16, BF16" },
        { "auto_map", """{"AutoModelForCausalLM":"modeling_x.X"}""", "Python code" },
        { "sliding_window", "4096", "'sliding_window' is 4096, which is not supported" },
        { "attn_logit_softcapping", "30", "'attn_logit_softcapping' is 30" },
        { "num_local_experts", "8", "num_local_experts" },
        { "partial_rotary_factor", "0.5", "partial_rotary_factor" },
        { "is_encoder_decoder", "true", "is_encoder_decoder" },
        { "torch_dtype", "\"float64\"", "(supported: float32, float16, bfloat16)" },
        { "dtype", "\"bfloat16\"", "'torch_dtype' is 'float16'" },
        { "num_key_value_heads", "5", "'num_key_value_heads' is 5; it must divide num_attention_heads, 32" },
        { "num_key_value_heads", "0", "from 1" },
        { "num_attention_heads", "96", "must divide hidden_size, 4096" },
        { "head_dim", "31", "must be even" },
        { "hidden_size", "-1", "from 1 to" },
        { "hidden_size", "4096.5", "whole number" },
        { "hidden_size", "\"big\"", "whole number" },
        { "hidden_size", "null", "is missing" },
        { "vocab_size", "99999999999999999999", "whole number" },
        { "num_hidden_layers", "0", "from 1" },
        { "max_position_embeddings", "0", "from 1" },
        { "rms_norm_eps", "0", "above 0" },
        { "tie_word_embeddings", "1", "true or false" },
    };

    [Theory, MemberData(nameof(Refused))]
    public void What_is_not_implemented_or_out_of_range_is_refused_by_name(string field, string value, string reason)
    {
        var exception = Assert.Throws<CheckpointException>(() => Parse(With(PublishedConfigs.Llama2, (field, JsonNode.Parse(value)))));
        Assert.Contains(reason, exception.Message);
        Assert.Contains(field.Split('_')[0], exception.Message);
    }

    [Theory]
    [InlineData("""["full_attention"]""", "one for each of 3 layers"),
        InlineData("""["full_attention","full_attention","linear_attention"]""", "'linear_attention'")]
    public void Layer_types_that_are_not_implemented_are_refused(string types, string reason) =>
        Assert.Contains(reason,
            Assert.Throws<CheckpointException>(() => Parse(With(PublishedConfigs.Newer, ("layer_types", JsonNode.Parse(types))))).Message);

    [Fact]
    public void A_windowed_layer_without_windows_switched_on_is_refused() =>
        Assert.Contains("use_sliding_window",
            Assert.Throws<CheckpointException>(() => Parse(With(PublishedConfigs.Newer, ("use_sliding_window", false)))).Message);

    [Theory]
    [InlineData("[]", "not a JSON object"), InlineData("{", "not valid JSON"), InlineData("{\"rope_theta\": NaN}", "not valid JSON")]
    [InlineData("{\"hidden_size\": 1, \"hidden_size\": 2}", "not valid JSON"),
        InlineData("{\"model_type\": \"\\ud800\"}", "not valid JSON")]
    public void Broken_JSON_is_refused(string json, string reason) =>
        Assert.Contains(reason, Assert.Throws<CheckpointException>(() => Parse(json)).Message);

    [Fact]
    public void A_missing_folder_or_file_is_refused_by_name()
    {
        using var folder = new TemporaryFolder();
        Assert.Contains("config.json: no such file", Assert.Throws<CheckpointException>(() => ModelConfigReader.Load(folder.Path)).Message);
        Assert.Contains("no such folder", Assert.Throws<CheckpointException>(() => ModelConfigReader.Load(folder.Path + "-none")).Message);
    }

    private static ModelConfig Parse(string json) => ModelConfigReader.Parse("config.json", Encoding.UTF8.GetBytes(json));

    private static string With(string json, params (string Name, JsonNode? Value)[] changes)
    {
        var config = JsonNode.Parse(json)!.AsObject();
        foreach (var (name, value) in changes) config[name] = value;
        return config.ToJsonString();
    }
}
