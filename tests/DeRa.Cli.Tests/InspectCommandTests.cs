using System.Buffers.Binary;
using System.Globalization;
using System.Text.Json;
using DeRa.Testing;
using DeRa.Testing.Hub;
using DeRa.Torch.Verification;
using Xunit;

namespace DeRa.Cli.Tests;

[Collection(HubEnvironment.Collection)]
public class InspectCommandTests
{
    private static readonly string[] Buffers = [".attn.bias", ".masked_bias", ".attention.bias", "rotary_emb.inv_freq"];

    /// <summary>Those in the source tree, and all in the data folder whose family is supported.</summary>
    public static TheoryData<string> GoldenFolders =>
        [.. GoldenVerification.Find(GoldenData.Committed("")), .. SharedData.Find("golden") is { } all ? GoldenVerification.Find(all) : []];

    [Theory]
    [MemberData(nameof(GoldenFolders))]
    public async Task A_golden_models_parameters_are_those_that_its_file_holds(string folder)
    {
        var run = await CommandRun.OfAsync("inspect", folder);
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Equal(StoredParameters(folder).ToString("N0", CultureInfo.InvariantCulture), Fact(run, "parameters"));
        Assert.DoesNotContain("problem", run.Out);
    }

    [Theory]
    [InlineData("gpt2", "float32")]
    [InlineData("llama-llama3", "bfloat16")]
    public async Task The_stored_type_is_the_files(string model, string type) =>
        Assert.Equal(type, Fact(await CommandRun.OfAsync("inspect", GoldenData.Committed(model)), "stored"));

    [Fact]
    public async Task A_model_is_described_from_its_configuration()
    {
        var run = await CommandRun.OfAsync("inspect", GoldenData.Committed("gemma2"));
        Assert.Equal("Gemma2", Fact(run, "family"));
        Assert.Equal("256 tokens", Fact(run, "context"));
        Assert.Equal("3 of width 48, feed-forward 96", Fact(run, "layers"));
        Assert.Equal("4 heads of 16, 2 for keys and values, 2 layers see 12 tokens", Fact(run, "attention"));
        // 75,696 parameters; 2 (keys, values) × 3 layers × 2 heads × 16 = 192 elements a token.
        Assert.Equal("float32 295.7 KiB, bfloat16 147.8 KiB, float16 147.8 KiB", Fact(run, "weights"));
        Assert.Equal("float32 0.8 KiB, bfloat16 0.4 KiB, float16 0.4 KiB", Fact(run, "cache per token"));
        Assert.Equal("tokenizer.json (BPE), 124 tokens, ends a text with 2 </s>", Fact(run, "tokenizer"));
        Assert.Equal("no", Fact(run, "chat template"));
    }

    [Theory]
    [InlineData("chat_template.jinja", "{{ messages }}")]
    [InlineData("tokenizer_config.json", "{\"chat_template\":\"{{ messages }}\"}")]
    public async Task A_chat_template_is_found(string file, string content)
    {
        using var folder = new TemporaryFolder().CopyFrom(GoldenData.Committed("pair/sft"));
        folder.Write(file, content);
        Assert.Equal("yes", Fact(await CommandRun.OfAsync("inspect", folder.Path), "chat template"));
    }

    [Fact]
    public async Task An_output_layer_that_is_stored_beside_a_tie_is_warned_of()
    {
        var untied = GoldenData.Committed("pair/sft");
        using var folder = new TemporaryFolder().CopyFrom(untied);
        var config = File.ReadAllText(Path.Combine(untied, "config.json"));
        folder.Write("config.json",
            config.Replace("\"tie_word_embeddings\": false", "\"tie_word_embeddings\": true", StringComparison.Ordinal));
        var run = await CommandRun.OfAsync("inspect", folder.Path);
        Assert.Equal((0, "300 wide, with weights of its own"), (run.Code, Fact(run, "output")));
        Assert.Equal("config.json ties the output layer to the embedding, but another one is stored, which is used", Fact(run, "warning"));
        Assert.Equal(Fact(await CommandRun.OfAsync("inspect", untied), "parameters"), Fact(run, "parameters"));
        Assert.DoesNotContain("warning", (await CommandRun.OfAsync("inspect", untied)).Out);
    }

    [Fact]
    public async Task An_adapters_own_chat_template_is_told_too()
    {
        var run = await CommandRun.OfAsync("inspect", GoldenData.Committed("pair/lora"));
        Assert.DoesNotContain("chat template", run.Out, StringComparison.Ordinal);
        using var folder = new TemporaryFolder().CopyFrom(GoldenData.Committed("pair/lora"));
        folder.Write("tokenizer_config.json", "{\"chat_template\":[\"x\"]}");
        run = await CommandRun.OfAsync("inspect", folder.Path);
        Assert.Equal(0, run.Code);
        Assert.Contains("chat_template[0] must be an object", Fact(run, "chat template"), StringComparison.Ordinal);
        folder.Write("tokenizer_config.json", "[");
        run = await CommandRun.OfAsync("inspect", folder.Path);
        Assert.Equal(1, run.Code);
        Assert.Contains("tokenizer_config.json", Fact(run, "problem"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("chat_template.jinja", "{{ messages|shout }}", "'shout'")]
    [InlineData("tokenizer_config.json", "{\"chat_template\":7}", "tokenizer_config.json: chat_template must be a text")]
    [InlineData("chat_template.json", "[", "chat_template.json: cannot be read as JSON")]
    public async Task A_chat_template_that_cannot_be_used_is_told_and_keeps_nobody_from_mixing(string file, string content, string fault)
    {
        using var folder = new TemporaryFolder().CopyFrom(GoldenData.Committed("pair/sft"));
        folder.Write(file, content);
        var run = await CommandRun.OfAsync("inspect", folder.Path, folder.Path);
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.StartsWith("cannot be used, so that chats are refused: ", Fact(run, "chat template"), StringComparison.Ordinal);
        Assert.Contains(fault, Fact(run, "chat template"), StringComparison.Ordinal);
        Assert.Equal("yes", Fact(run, "can be mixed"));
    }

    [Fact]
    public async Task A_pair_is_described_as_one()
    {
        var run = await CommandRun.OfAsync("inspect", GoldenData.Committed("pair/sft"), GoldenData.Committed("pair/aligned"));
        Assert.Equal((0, ""), (run.Code, run.Error));
        var pair = run with { Out = run.Out[run.Out.IndexOf("\npair", StringComparison.Ordinal)..] };
        Assert.Equal("the same 300 tokens", Fact(pair, "vocabulary"));
        Assert.Equal("both Llama", Fact(pair, "family"));
        Assert.Equal("yes", Fact(pair, "can be mixed"));
    }

    [Fact]
    public async Task Models_that_are_no_pair_say_where_they_differ()
    {
        var run = await CommandRun.OfAsync("inspect", GoldenData.Committed("pair/sft"), GoldenData.Committed("qwen2"));
        Assert.Equal(1, run.Code);
        var pair = run with { Out = run.Out[run.Out.IndexOf("\npair", StringComparison.Ordinal)..] };
        Assert.Matches("^differs: token \\d+ is ", Fact(pair, "vocabulary"));
        Assert.Equal("Llama and Qwen2", Fact(pair, "family"));
        Assert.Equal("300 and 144 wide; the tokenizer's tokens are mixed, padding is not", Fact(pair, "output"));
        Assert.Equal("no", Fact(pair, "can be mixed"));
    }

    [Fact]
    public async Task An_adapter_is_described_and_checked_against_the_model_before_it()
    {
        var lora = GoldenData.Committed("pair/lora");
        var run = await CommandRun.OfAsync("inspect", GoldenData.Committed("pair/sft"), lora);
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Equal("LoRA of rank 4, alpha 8", Fact(run, "adapter"));
        Assert.Equal("down_proj, q_proj, v_proj", Fact(run, "modules"));
        Assert.Equal("../sft", Fact(run, "trained on"));
        Assert.Equal("yes", Fact(run, "can be mixed"));
        var alone = await CommandRun.OfAsync("inspect", lora);
        // 2 layers of down_proj (48 × 96), q_proj (48 × 48) and v_proj (24 × 48), each with its two factors of rank 4.
        Assert.Equal((0, "2,496"), (alone.Code, Fact(alone, "parameters")));
        var other = await CommandRun.OfAsync("inspect", GoldenData.Committed("gpt2"), lora);
        Assert.Equal((1, "no"), (other.Code, Fact(other, "can be mixed")));
        Assert.Contains("matches none of the base model's linear modules: attn.c_attn", Fact(other, "problem"));
    }

    [Theory]
    [InlineData("config.json", "{\"architectures\":[\"BertModel\"]}", "BertModel")]
    [InlineData("config.json", "{", "config.json")]
    [InlineData("model.safetensors", "broken", "model.safetensors")]
    [InlineData("tokenizer.json", "{}", "tokenizer.json")]
    public async Task What_cannot_be_served_is_a_problem_and_the_rest_is_shown(string file, string content, string named)
    {
        using var folder = new TemporaryFolder().CopyFrom(GoldenData.Committed("pair/sft"));
        folder.Write(file, content);
        var run = await CommandRun.OfAsync("inspect", folder.Path);
        Assert.Equal((1, ""), (run.Code, run.Error));
        Assert.Contains(named, Fact(run, "problem"));
        Assert.Equal("no", Fact(run, "chat template"));
    }

    [Fact]
    public async Task Of_a_model_on_the_Hub_no_weights_are_downloaded()
    {
        await using var environment = new HubEnvironment(GoldenData.Committed("pair/sft"));
        var run = await CommandRun.OfAsync("inspect", "org/model");
        Assert.Equal(0, run.Code);
        Assert.Equal("70,512", Fact(run, "parameters"));
        Assert.Contains("dera pull", Fact(run, "stored"));
        Assert.Empty(environment.Hub.StorageRequests);
        await CommandRun.OfAsync("pull", "org/model");
        Assert.Equal("float32", Fact(await CommandRun.OfAsync("inspect", "org/model"), "stored"));
    }

    [Fact]
    public async Task An_adapter_on_the_Hub_is_described_without_its_weights_and_over_a_folder()
    {
        await using var environment = new HubEnvironment(GoldenData.Committed("pair/lora"), "adapter_model.safetensors");
        environment.Hub.Remove("config.json");
        environment.Hub.Remove("model.safetensors");
        var alone = await CommandRun.OfAsync("inspect", "org/model");
        Assert.Equal((0, "LoRA of rank 4, alpha 8"), (alone.Code, Fact(alone, "adapter")));
        Assert.Empty(environment.Hub.StorageRequests);
        var over = await CommandRun.OfAsync("inspect", GoldenData.Committed("pair/sft"), "org/model@main");
        Assert.Equal((0, "yes"), (over.Code, Fact(over, "can be mixed")));
    }

    [Fact]
    public async Task A_model_on_the_Hub_may_be_the_second_of_a_pair()
    {
        await using var environment = new HubEnvironment(GoldenData.Committed("pair/sft"));
        var run = await CommandRun.OfAsync("inspect", GoldenData.Committed("pair/sft"), "org/model");
        Assert.Equal((0, "yes"), (run.Code, Fact(run, "can be mixed")));
    }

    [Fact]
    public async Task Folders_need_no_settings_of_the_Hub()
    {
        await using var environment = new HubEnvironment(GoldenData.Committed("pair/sft"));
        environment.Set("HF_ENDPOINT", "none");
        environment.Set("HF_TOKEN", "no token");
        var sft = GoldenData.Committed("pair/sft");
        Assert.Equal(0, (await CommandRun.OfAsync("inspect", sft, sft)).Code);
        var generate = await CommandRun.OfAsync(
            "generate", "--reference", sft, "--aligned", sft, "--device", "cpu", "--max-tokens", "1", "Once");
        Assert.Equal(0, generate.Code);
        var wrong = await CommandRun.OfAsync("inspect", "org/model");
        Assert.Equal((1, "dera: HF_ENDPOINT is 'none'; it must be an http or https address without ? and #."),
            (wrong.Code, wrong.Error.TrimEnd()));
    }

    [Fact]
    public async Task A_folder_that_is_not_there_is_a_line_that_names_it()
    {
        var run = await CommandRun.OfAsync("inspect", "./nowhere/model");
        Assert.Equal((1, ""), (run.Code, run.Out));
        Assert.StartsWith("dera: there is no folder './nowhere/model' in ", Assert.Single(run.Error.TrimEnd().Split('\n')));
    }

    private static string Fact(CommandRun run, string name) => run.Out.Split('\n')
        .First(line => line.StartsWith($"  {name} ", StringComparison.Ordinal))[(2 + name.Length)..].Trim();

    /// <summary>Counted from the files alone: the elements of every tensor but the buffers that old exports keep.</summary>
    private static long StoredParameters(string folder) => Directory.GetFiles(folder, "*.safetensors").Sum(file =>
    {
        var content = File.ReadAllBytes(file);
        var header = JsonDocument.Parse(content.AsMemory(8, (int)BinaryPrimitives.ReadUInt64LittleEndian(content)));
        return header.RootElement.EnumerateObject()
            .Where(tensor => tensor.Name != "__metadata__" && !Buffers.Any(tensor.Name.EndsWith))
            .Sum(tensor => tensor.Value.GetProperty("shape").EnumerateArray().Aggregate(1L, (count, size) => count * size.GetInt64()));
    });
}
