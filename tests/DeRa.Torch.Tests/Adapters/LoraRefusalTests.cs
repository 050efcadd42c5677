using System.Text.Json.Nodes;
using DeRa.Testing;
using DeRa.Torch.Adapters;
using DeRa.Torch.Configuration;
using DeRa.Torch.Execution;
using DeRa.Torch.Families;
using DeRa.Torch.Tests.Execution;
using DeRa.Torch.Tests.Weights;
using DeRa.Torch.Weights;
using Xunit;

namespace DeRa.Torch.Tests.Adapters;

public sealed class LoraRefusalTests
{
    private static readonly string Golden = GoldenData.Committed("pair/lora");
    private static readonly ModelConfig Base = ModelConfigReader.Load(GoldenData.Committed("pair/sft"));

    private static readonly Checkpoint BaseWeights = Checkpoint.Open(GoldenData.Committed("pair/sft"));

    public static TheoryData<string, string?, string> Fields { get; } = new()
    {
        { "peft_type", "\"LOHA\"", "'peft_type' is 'LOHA', which is not supported (supported: LORA)" },
        { "peft_type", null, "(supported: LORA)" },
        { "bias", "\"lora_only\"", "(supported: none)" },
        { "r", "0", "'r' is 0; it must be a whole number from 1 to 65536" },
        { "r", "4.5", "'r' is 4.5" },
        { "lora_alpha", "0", "it must be a number above 0" },
        { "use_dora", "true", "'use_dora' is true, which is not supported" },
        { "lora_bias", "true", "'lora_bias'" },
        { "use_qalora", "true", "'use_qalora'" },
        { "modules_to_save", "[\"lm_head\"]", "'modules_to_save' names 'lm_head', but the weights hold no such module" },
        { "modules_to_save", "\"lm_head\"", "'modules_to_save' is \"lm_head\"; it must be a list of strings" },
        { "enable_lora", "[true, false, true]", "'enable_lora' is [true,false,true], which is not supported" },
        { "use_qa_lora", "true", "'use_qa_lora'" },
        { "layer_replication", "[[0, 2]]", "'layer_replication'" },
        { "megatron_config", "{\"a\": 1}", "'megatron_config'" },
        { "loftq_config", "{\"loftq_bits\": 4}", "'loftq_config'" },
        { "trainable_token_indices", "[1]", "'trainable_token_indices'" },
        { "alora_invocation_tokens", "[1]", "'alora_invocation_tokens'" },
        { "something_new", "1", "'something_new' is 1, which is not supported" },
        { "init_lora_weights", "\"pissa\"", "which changes the base weights" },
        { "init_lora_weights", "\"olora\"", "which changes the base weights" },
        { "target_modules", null, "'target_modules' is missing" },
        { "target_modules", "3", "must be a list of strings" },
        { "target_modules", "\"(\"", "not a regular expression" },
        { "target_modules", "\"(.*.*.*.*.*.*.*.*.*.*)*!\"", "takes too long to match" },
        { "target_modules", "[\"c_attn\"]", "matches none of the base model's linear modules: self_attn.q_proj" },
        { "target_modules", "[\"q_proj\", \"lm_head\"]", "'target_modules' asks to adapt 'lm_head'" },
        { "target_modules", "[\"q_proj\", \"embed_tokens\"]", "'target_modules' asks to adapt 'model.embed_tokens'" },
        { "target_modules", "[\"q_proj\", \"v_proj\", \"down_proj\", \"k_proj\"]",
            "tensors are missing: base_model.model.model.layers.0.self_attn.k_proj.lora_A" },
        { "target_modules", "[\"q_proj\", \"v_proj\"]", "do not account for: base_model.model.model.layers.0.mlp.down_proj.lora_A" },
        { "layers_to_transform", "0", "do not account for: base_model.model.model.layers.1." },
        { "layers_to_transform", "[-1]", "it must be whole numbers from 0 to 1024" },
        { "layers_to_transform", "[\"a\"]", "it must be whole numbers" },
        { "exclude_modules", "[\"down_proj\"]", "do not account for: base_model.model.model.layers.0.mlp.down_proj" },
        { "rank_pattern", "{\"down_proj\": 2}", "has shape [4, 96]; the base model and adapter_config.json ask for [2, 96]" },
        { "rank_pattern", "{\"down_proj\": 0}", "'rank_pattern.down_proj' is 0; it must be a whole number from 1 to 65536" },
        { "rank_pattern", "[1]", "must be an object of numbers" },
        { "alpha_pattern", "{\"down_proj\": \"2\"}", "must be a number" },
        { "alpha_pattern", "{\"(\": 2}", "not a regular expression" },
    };

    [Theory, MemberData(nameof(Fields))]
    public void What_is_not_implemented_or_does_not_fit_is_refused_by_name(string field, string? value, string message)
    {
        using var folder = Changed(config =>
        {
            config.Remove(field);
            if (value is not null) config[field] = JsonNode.Parse(value);
        });
        var refused = Assert.Throws<CheckpointException>(() => LoraAdapter.Open(folder.Path, Base, BaseWeights).Dispose());
        Assert.Contains(message, refused.Message, StringComparison.Ordinal);
        Assert.StartsWith(folder.Path, refused.Message, StringComparison.Ordinal);
    }

    public static TheoryData<string, string> Same { get; } = new()
    {
        { "target_modules", "\".*\\\\.(q_proj|v_proj|down_proj)\"" },
        { "target_modules", "[\"self_attn.q_proj\", \"v_proj\", \"mlp.down_proj\", \"c_attn\"]" },
        { "target_modules", "[\"model.layers.0.self_attn.q_proj\", \"model.layers.1.self_attn.q_proj\", \"v_proj\", \"down_proj\"]" },
        { "layers_to_transform", "[0, 1]" },
        { "layers_to_transform", "[]" },
        { "modules_to_save", "[]" },
        { "init_lora_weights", "\"gaussian\"" },
        { "exclude_modules", "[\"lm_head\"]" },
        { "rank_pattern", "{\"nothing\": 8}" },
        { "peft_version", "\"0.17.0\"" },
        { "eva_config", "{\"rho\": 2.0, \"tau\": 0.99, \"use_label_mask\": true, \"whiten\": false}" },
        { "auto_mapping",
            "{\"base_model_class\": \"LlamaForCausalLM\", \"parent_library\": \"transformers.models.llama\", \"unsloth_fixed\": true}" },
        { "target_modules", "\"(?:.*?(?:vision|language).*?(?:attn).*?(?:qkv).*?)|"
            + "(?:\\\\bmodel\\\\.layers\\\\.[\\\\d]{1,}\\\\.(?:self_attn|mlp)\\\\.(?:(?:q_proj|v_proj|down_proj)))\"" },
        { "use_rslora", "null" },
        // PEFT until 0.2.
        { "merge_weights", "false" },
        { "merge_weights", "true" },
        { "enable_lora", "null" },
        // ms-swift.
        { "lora_dtype", "\"bfloat16\"" },
        { "lorap_lr_ratio", "16.0" },
        { "lorap_emb_lr", "1e-06" },
        { "use_qa_lora", "false" },
        { "use_merged_linear", "false" },
        // Python's regular expressions.
        { "target_modules", "\".*\\\\.(?P<m>q_proj|v_proj|down_proj)$\"" },
        { "target_modules", "\"(?P<a>model)\\\\.(layers)\\\\.\\\\d{,2}\\\\..*\\\\.(?P<m>q|v|down)_proj\\\\Z\"" },
    };

    [Theory, MemberData(nameof(Same))]
    public void Other_spellings_of_the_same_are_taken(string field, string value)
    {
        using var folder = Changed(config => config[field] = JsonNode.Parse(value));
        LoraAdapter.Open(folder.Path, Base, BaseWeights).Dispose();
    }

    [Fact]
    public void All_linear_means_every_linear_module_of_the_layers()
    {
        using var adapter = new RandomAdapter(
            "pair/sft", ["v_proj", "q_proj", "k_proj", "o_proj", "gate_proj", "up_proj", "down_proj"], isTransposed: false);
        var path = Path.Combine(adapter.Folder, "adapter_config.json");
        var config = JsonNode.Parse(File.ReadAllText(path))!;
        config["target_modules"] = "all-linear";
        File.WriteAllText(path, config.ToJsonString());
        LoraAdapter.Open(adapter.Folder, Base, BaseWeights).Dispose();
    }

    [Fact]
    public void A_rank_stabilized_adapter_is_scaled_by_the_root_of_its_rank()
    {
        using var folder = Changed(config => config["use_rslora"] = true);
        Assert.Equal(8 / Math.Sqrt(4), LoraConfig.Load(folder.Path).ScaleOf("model.layers.0.self_attn.q_proj"));
        Assert.Equal(2, LoraConfig.Load(Golden).ScaleOf("model.layers.0.self_attn.q_proj"));
    }

    [Fact]
    public void An_adapter_of_another_models_shape_is_refused()
    {
        var refused = Assert.Throws<CheckpointException>(
            () => LoraAdapter.Open(Golden, ModelConfigReader.Load(GoldenData.Committed("gemma2")), baseWeights: null).Dispose());
        Assert.Contains("tensors are missing: base_model.model.model.layers.2", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Pickles_and_missing_or_broken_files_are_refused()
    {
        using var folder = new TemporaryFolder();
        folder.Copy(Path.Combine(Golden, "adapter_config.json"));
        folder.Write("adapter_model.bin", "pickle");
        Assert.Contains("needs adapter_model.safetensors (pickles such as adapter_model.bin are not loaded",
            Assert.Throws<CheckpointException>(() => LoraAdapter.Open(folder.Path, Base, BaseWeights)).Message, StringComparison.Ordinal);
        folder.Write("adapter_model.safetensors", Safetensors.Build("{}", 0));
        Assert.Contains("tensors are missing",
            Assert.Throws<CheckpointException>(() => LoraAdapter.Open(folder.Path, Base, BaseWeights)).Message);
        folder.Write("adapter_config.json", "[]");
        Assert.Contains("not a JSON object",
            Assert.Throws<CheckpointException>(() => LoraAdapter.Open(folder.Path, Base, BaseWeights)).Message);
        folder.Write("adapter_config.json", "{");
        Assert.Contains("not valid JSON",
            Assert.Throws<CheckpointException>(() => LoraAdapter.Open(folder.Path, Base, BaseWeights)).Message);
    }

    [Fact]
    public void An_adapter_cannot_be_the_reference()
    {
        var options = GoldenPair.Options() with { ReferencePath = Golden };
        Assert.Contains("is an adapter; it must be the whole model",
            Assert.Throws<PairLoadException>(() => GoldenPair.Load(options)).Message);
    }

    private static TemporaryFolder Changed(Action<JsonObject> change)
    {
        var folder = new TemporaryFolder();
        folder.Copy(Path.Combine(Golden, "adapter_model.safetensors"));
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(Golden, "adapter_config.json")))!.AsObject();
        change(config);
        folder.Write("adapter_config.json", config.ToJsonString());
        return folder;
    }
}
