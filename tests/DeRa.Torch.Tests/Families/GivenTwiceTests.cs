using System.Text;
using System.Text.Json.Nodes;
using DeRa.Serving.Inspection;
using DeRa.Torch.Configuration;
using DeRa.Torch.Families;
using DeRa.Torch.Weights;
using Xunit;

namespace DeRa.Torch.Tests.Families;

/// <summary>
/// What a configuration says in two places, or by two names: the same passes, a contradiction is refused with both named.
/// </summary>
public sealed class GivenTwiceTests
{
    private const string Llama3 =
        """{"factor":32.0,"high_freq_factor":4.0,"low_freq_factor":1.0,"original_max_position_embeddings":8192,"rope_type":"llama3"}""";

    public static TheoryData<string, string> Same { get; } = new()
    {
        // Old and new spelling of rotary settings beside each other, whole or in part.
        { PublishedConfigs.Llama32,
            """{"rope_parameters":{"factor":32,"high_freq_factor":4,"low_freq_factor":1,"original_max_position_embeddings":8192,"""
                + """ "rope_type":"llama3","rope_theta":500000}}""" },
        { PublishedConfigs.Llama32, """{"rope_parameters":{"rope_theta":500000.0}}""" },
        { PublishedConfigs.Llama32, """{"original_max_position_embeddings":8192}""" },
        { PublishedConfigs.Llama2, """{"rope_theta":10000,"rope_scaling":{"rope_type":"default","rope_theta":10000.0}}""" },
        { PublishedConfigs.Llama2,
            """{"rope_scaling":{"type":"default"},"rope_parameters":{"rope_type":"default","rope_theta":10000.0}}""" },
        { PublishedConfigs.Llama2, """{"rope_scaling":null,"rope_parameters":{"rope_type":"default"}}""" },
        { PublishedConfigs.Llama2, """{"original_max_position_embeddings":4096}""" },
        { PublishedConfigs.Llama2, """{"dtype":"float16"}""" },
        { PublishedConfigs.Llama2, """{"max_sequence_length":4096}""" },
        { PublishedConfigs.Llama2, """{"head_dim":128}""" },
        { PublishedConfigs.Llama2, """{"partial_rotary_factor":1.0}""" },
        { PublishedConfigs.Llama2, """{"layer_types":LAYERS32}""" },
        // CodeQwen1.5 and what is tuned from it.
        { PublishedConfigs.Qwen15, """{"rotary_emb_base":1000000,"seq_length":32768}""" },
        { PublishedConfigs.Pythia1B, """{"partial_rotary_factor":0.25,"rope_theta":10000}""" },
        { PublishedConfigs.Pythia1B, """{"rope_parameters":{"rope_type":"default","rope_theta":10000,"partial_rotary_factor":0.25}}""" },
        { PublishedConfigs.Pythia1B, """{"rope_scaling":{"type":"default","rope_theta":10000,"partial_rotary_factor":0.25}}""" },
        { PublishedConfigs.Pythia1B, """{"head_dim":256}""" },
        { PublishedConfigs.Gpt2,
            """{"hidden_size":768,"num_attention_heads":12,"num_hidden_layers":12,"max_position_embeddings":1024,"n_ctx":1024}""" },
        { PublishedConfigs.Gpt2, """{"n_vocab":50257,"head_dim":64}""" },
        { PublishedConfigs.Gemma2, """{"sliding_window_size":4096}""" },
    };

    [Theory, MemberData(nameof(Same))]
    public void The_same_twice_changes_nothing(string published, string added)
    {
        var (once, twice) = (Parse(published), Parse(With(published, added)));
        Assert.Equivalent(once, twice, strict: true);
    }

    public static TheoryData<string, string, string, string> Contradictions { get; } = new()
    {
        { PublishedConfigs.Llama32,
            """{"rope_parameters":{"factor":8,"high_freq_factor":4,"low_freq_factor":1,"original_max_position_embeddings":8192,"""
                + """ "rope_type":"llama3"}}""",
            "'rope_scaling' is {", "'rope_parameters' is {" },
        { PublishedConfigs.Llama32, """{"rope_parameters":{"rope_type":"default"}}""", "'rope_scaling' is {", "'rope_parameters' is {" },
        { PublishedConfigs.Llama32, """{"rope_parameters":{"rope_theta":10000}}""", "'rope_theta' is 500000",
            "'rope_parameters.rope_theta' is 10000" },
        { PublishedConfigs.Llama32, """{"original_max_position_embeddings":4096}""", "'original_max_position_embeddings' is 4096",
            "'rope_scaling.original_max_position_embeddings' is 8192" },
        { PublishedConfigs.Llama2, """{"rope_theta":10000,"rope_scaling":{"rope_type":"default","rope_theta":1000000}}""",
            "'rope_theta' is 10000", "'rope_scaling.rope_theta' is 1000000" },
        { PublishedConfigs.Llama2, """{"rope_scaling":{"rope_type":"default","rope_theta":10000},"rope_parameters":{"rope_theta":20000}}""",
            "'rope_scaling.rope_theta' is 10000", "'rope_parameters.rope_theta' is 20000" },
        { PublishedConfigs.Llama2, """{"rope_scaling":{"rope_type":"linear","type":"yarn","factor":2}}""",
            "'rope_scaling.rope_type' is 'linear'", "'rope_scaling.type' is 'yarn'" },
        { PublishedConfigs.Llama2, """{"dtype":"bfloat16"}""", "'dtype' is 'bfloat16'", "'torch_dtype' is 'float16'" },
        { PublishedConfigs.Llama2, """{"max_sequence_length":2048}""", "'max_position_embeddings' is 4096",
            "'max_sequence_length' is 2048" },
        { PublishedConfigs.Llama2, """{"rope_condense_ratio":4,"rope_scaling":{"type":"linear","factor":8}}""",
            "'rope_scaling.factor' is 8", "'rope_condense_ratio' is 4" },
        { PublishedConfigs.Qwen15, """{"rotary_emb_base":10000}""", "'rotary_emb_base' is 10000", "'rope_theta' is 1000000" },
        { PublishedConfigs.Qwen15, """{"seq_length":8192}""", "'max_position_embeddings' is 32768", "'seq_length' is 8192" },
        { PublishedConfigs.Pythia1B, """{"partial_rotary_factor":0.5}""", "'rotary_pct' is 0.25", "'partial_rotary_factor' is 0.5" },
        { PublishedConfigs.Pythia1B, """{"rope_parameters":{"rope_theta":20000}}""", "'rotary_emb_base' is 10000",
            "'rope_parameters.rope_theta' is 20000" },
        { PublishedConfigs.Pythia1B, """{"rope_scaling":{"partial_rotary_factor":1}}""", "'rotary_pct' is 0.25",
            "'rope_scaling.partial_rotary_factor' is 1" },
        { PublishedConfigs.Pythia1B, """{"head_dim":128}""", "'head_dim' is 128", "'hidden_size / num_attention_heads' is 256" },
        { PublishedConfigs.Gpt2, """{"hidden_size":1024}""", "'n_embd' is 768", "'hidden_size' is 1024" },
        { PublishedConfigs.Gpt2, """{"num_attention_heads":16}""", "'n_head' is 12", "'num_attention_heads' is 16" },
        { PublishedConfigs.Gpt2, """{"num_hidden_layers":24}""", "'n_layer' is 12", "'num_hidden_layers' is 24" },
        { PublishedConfigs.Gpt2, """{"max_position_embeddings":2048}""", "'n_positions' is 1024", "'max_position_embeddings' is 2048" },
        { PublishedConfigs.Gpt2, """{"n_ctx":512}""", "'n_positions' is 1024", "'n_ctx' is 512" },
        { PublishedConfigs.Gpt2, """{"n_vocab":50000}""", "'vocab_size' is 50257", "'n_vocab' is 50000" },
        { PublishedConfigs.Gemma2, """{"sliding_window_size":1024}""", "'sliding_window_size' is 1024", "'sliding_window' is 4096" },
        { PublishedConfigs.Gemma2, """{"hidden_act":"silu"}""", "'hidden_act' is 'silu'", "'hidden_activation' is 'gelu_pytorch_tanh'" },
        { PublishedConfigs.Zephyr, """{"layer_types":LAYERS32}""", "'layer_types' is [", "'sliding_window' is 4096" },
        { PublishedConfigs.Llama2, """{"model_type":"mistral"}""", "'architectures' is [LlamaForCausalLM]", "model_type 'mistral'" },
    };

    [Theory, MemberData(nameof(Contradictions))]
    public void A_contradiction_is_refused_with_both_named(string published, string added, string first, string second)
    {
        var message = Assert.Throws<CheckpointException>(() => Parse(With(published, added))).Message;
        Assert.Contains(first, message);
        Assert.Contains(second, message);
    }

    [Fact]
    public void LongChats_own_name_for_linear_scaling_may_repeat_it() => Assert.Equal(new RotaryScaling.Linear(8),
        Parse(With(PublishedConfigs.Llama2, """{"rope_condense_ratio":8,"rope_scaling":{"type":"linear","factor":8.0}}""")).RotaryScaling);

    [Fact]
    public void The_new_spelling_alone_means_what_the_old_one_does()
    {
        var old = JsonNode.Parse(PublishedConfigs.Llama32)!.AsObject();
        var expected = Parse(old.ToJsonString());
        old.Remove("rope_scaling");
        old.Remove("rope_theta");
        var parameters = JsonNode.Parse(Llama3)!.AsObject();
        parameters["rope_theta"] = 500_000;
        old["rope_parameters"] = parameters;
        Assert.Equivalent(expected, Parse(old.ToJsonString()), strict: true);
    }

    [Fact]
    public void Gpt_2_may_be_spelt_like_other_families()
    {
        var config = JsonNode.Parse(PublishedConfigs.Gpt2)!.AsObject();
        foreach (var (own, other) in new[] { ("n_embd", "hidden_size"), ("n_head", "num_attention_heads"), ("n_layer", "num_hidden_layers"),
            ("n_positions", "max_position_embeddings") })
        {
            var value = config[own]!.DeepClone();
            config.Remove(own);
            config[other] = value;
        }
        Assert.Equivalent(Parse(PublishedConfigs.Gpt2), Parse(config.ToJsonString()), strict: true);
    }

    [Theory]
    [InlineData("rope-both-spellings"), InlineData("rope-scaling-default-theta"), InlineData("architecture-LLaMA")]
    public void The_published_cases_load(string name)
    {
        var folder = SharedCases.Find(name + "/model");
        Assert.SkipWhen(folder is null, SharedCases.Missing);
        Assert.Empty(ModelInspection.Read(folder!).Problems);
    }

    private static ModelConfig Parse(string json) => ModelConfigReader.Parse("config.json", Encoding.UTF8.GetBytes(json));

    private static string With(string published, string added)
    {
        var layers = "[" + string.Join(',', Enumerable.Repeat("\"full_attention\"", 32)) + "]";
        var config = JsonNode.Parse(published)!.AsObject();
        foreach (var (name, value) in JsonNode.Parse(added.Replace("LAYERS32", layers, StringComparison.Ordinal))!.AsObject())
            config[name] = value?.DeepClone();
        return config.ToJsonString();
    }
}
