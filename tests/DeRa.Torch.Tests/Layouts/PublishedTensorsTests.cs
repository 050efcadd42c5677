using System.Text;
using DeRa.Torch.Families;
using DeRa.Torch.Layouts;
using DeRa.Torch.Tests.Families;
using Xunit;

namespace DeRa.Torch.Tests.Layouts;

/// <summary>Every tensor that published models have, checked by name, shape and number of parameters without their weights.</summary>
public sealed class PublishedTensorsTests
{
    /// <summary>Configuration, parameters as published with the model (tied output layers count once), tensors.</summary>
    public static TheoryData<string, string, long, int> Models { get; } = new()
    {
        { "Llama 2 7B", PublishedConfigs.Llama2, 6_738_415_616, 291 },
        { "Llama 3.2 1B", PublishedConfigs.Llama32, 1_235_814_400, 146 },
        { "Zephyr 7B", PublishedConfigs.Zephyr, 7_241_732_096, 291 },
        { "Mistral Nemo", PublishedConfigs.MistralInstruct, 12_247_782_400, 363 },
        { "Qwen1.5 0.5B", PublishedConfigs.Qwen15, 463_987_712, 290 },
        { "Qwen2.5 Math 7B", PublishedConfigs.Qwen25Math, 7_615_616_512, 339 },
        { "DeepSeekMath 7B", PublishedConfigs.DeepSeekMath, 6_910_365_696, 273 },
        { "Qwen3 0.6B", PublishedConfigs.Qwen3, 596_049_920, 310 },
        { "Gemma 2 2B", PublishedConfigs.Gemma2, 2_614_341_888, 288 },
        { "GPT-2", PublishedConfigs.Gpt2, 124_439_808, 148 },
        { "Pythia 1B", PublishedConfigs.Pythia1B, 1_011_781_632, 196 },
        { "Pythia 6.9B", PublishedConfigs.Pythia7B, 6_857_302_016, 388 },
    };

    [Theory, MemberData(nameof(Models))]
    public void Parameters_and_tensors_are_as_many_as_published(string name, string json, long parameters, int tensors)
    {
        var shapes = Shapes(json);
        Assert.True(parameters == shapes.Values.Sum(shape => shape.Aggregate((a, b) => a * b)), name);
        Assert.Equal(tensors, shapes.Count);
    }

    public static TheoryData<string, string, string> Layers { get; } = new()
    {
        { PublishedConfigs.DeepSeekMath, "model.layers.29.", """
            input_layernorm.weight [4096]
            mlp.down_proj.weight [4096, 11008]
            mlp.gate_proj.weight [11008, 4096]
            mlp.up_proj.weight [11008, 4096]
            post_attention_layernorm.weight [4096]
            self_attn.k_proj.weight [4096, 4096]
            self_attn.o_proj.weight [4096, 4096]
            self_attn.q_proj.weight [4096, 4096]
            self_attn.v_proj.weight [4096, 4096]
            """ },
        { PublishedConfigs.Qwen15, "model.layers.23.", """
            input_layernorm.weight [1024]
            mlp.down_proj.weight [1024, 2816]
            mlp.gate_proj.weight [2816, 1024]
            mlp.up_proj.weight [2816, 1024]
            post_attention_layernorm.weight [1024]
            self_attn.k_proj.bias [1024]
            self_attn.k_proj.weight [1024, 1024]
            self_attn.o_proj.weight [1024, 1024]
            self_attn.q_proj.bias [1024]
            self_attn.q_proj.weight [1024, 1024]
            self_attn.v_proj.bias [1024]
            self_attn.v_proj.weight [1024, 1024]
            """ },
        { PublishedConfigs.Qwen3, "model.layers.27.", """
            input_layernorm.weight [1024]
            mlp.down_proj.weight [1024, 3072]
            mlp.gate_proj.weight [3072, 1024]
            mlp.up_proj.weight [3072, 1024]
            post_attention_layernorm.weight [1024]
            self_attn.k_norm.weight [128]
            self_attn.k_proj.weight [1024, 1024]
            self_attn.o_proj.weight [1024, 2048]
            self_attn.q_norm.weight [128]
            self_attn.q_proj.weight [2048, 1024]
            self_attn.v_proj.weight [1024, 1024]
            """ },
        { PublishedConfigs.Gemma2, "model.layers.25.", """
            input_layernorm.weight [2304]
            mlp.down_proj.weight [2304, 9216]
            mlp.gate_proj.weight [9216, 2304]
            mlp.up_proj.weight [9216, 2304]
            post_attention_layernorm.weight [2304]
            post_feedforward_layernorm.weight [2304]
            pre_feedforward_layernorm.weight [2304]
            self_attn.k_proj.weight [1024, 2304]
            self_attn.o_proj.weight [2304, 2048]
            self_attn.q_proj.weight [2048, 2304]
            self_attn.v_proj.weight [1024, 2304]
            """ },
        { PublishedConfigs.Gpt2, "transformer.h.11.", """
            attn.c_attn.bias [2304]
            attn.c_attn.weight [768, 2304]
            attn.c_proj.bias [768]
            attn.c_proj.weight [768, 768]
            ln_1.bias [768]
            ln_1.weight [768]
            ln_2.bias [768]
            ln_2.weight [768]
            mlp.c_fc.bias [3072]
            mlp.c_fc.weight [768, 3072]
            mlp.c_proj.bias [768]
            mlp.c_proj.weight [3072, 768]
            """ },
        { PublishedConfigs.Pythia1B, "gpt_neox.layers.15.", """
            attention.dense.bias [2048]
            attention.dense.weight [2048, 2048]
            attention.query_key_value.bias [6144]
            attention.query_key_value.weight [6144, 2048]
            input_layernorm.bias [2048]
            input_layernorm.weight [2048]
            mlp.dense_4h_to_h.bias [2048]
            mlp.dense_4h_to_h.weight [2048, 8192]
            mlp.dense_h_to_4h.bias [8192]
            mlp.dense_h_to_4h.weight [8192, 2048]
            post_attention_layernorm.bias [2048]
            post_attention_layernorm.weight [2048]
            """ },
    };

    [Theory, MemberData(nameof(Layers))]
    public void A_layer_has_the_published_names_and_shapes(string json, string prefix, string expected) =>
        Assert.Equal(expected.Split('\n', StringSplitOptions.TrimEntries),
            Lines(Shapes(json), name => name.StartsWith(prefix, StringComparison.Ordinal))
            .Select(line => line[prefix.Length..]));

    [Theory]
    [InlineData(PublishedConfigs.Gpt2,
        "transformer.ln_f.bias [768]|transformer.ln_f.weight [768]|transformer.wpe.weight [1024, 768]|transformer.wte.weight [50257, 768]")]
    [InlineData(PublishedConfigs.Gemma2, "model.embed_tokens.weight [256000, 2304]|model.norm.weight [2304]")]
    [InlineData(PublishedConfigs.DeepSeekMath,
        "lm_head.weight [102400, 4096]|model.embed_tokens.weight [102400, 4096]|model.norm.weight [4096]")]
    [InlineData(PublishedConfigs.Pythia1B,
        "embed_out.weight [50304, 2048]|gpt_neox.embed_in.weight [50304, 2048]|gpt_neox.final_layer_norm.bias [2048]|"
        + "gpt_neox.final_layer_norm.weight [2048]")]
    public void Outside_its_layers_a_model_has_the_published_names_and_shapes(string json, string expected) =>
        Assert.Equal(expected.Split('|'), Lines(Shapes(json), name => !name.Contains("layers.") && !name.Contains(".h.")));

    private static Dictionary<string, long[]> Shapes(string json)
    {
        var config = ModelConfigReader.Parse("config.json", Encoding.UTF8.GetBytes(json));
        return DecoderTensors.Expected(config, Architecture.LayoutOf(config)).ToDictionary(tensor => tensor.Name, tensor => tensor.Shape);
    }

    private static IEnumerable<string> Lines(Dictionary<string, long[]> shapes, Func<string, bool> isWanted) =>
        shapes.Where(tensor => isWanted(tensor.Key)).OrderBy(tensor => tensor.Key, StringComparer.Ordinal)
            .Select(tensor => $"{tensor.Key} [{string.Join(", ", tensor.Value)}]");
}
