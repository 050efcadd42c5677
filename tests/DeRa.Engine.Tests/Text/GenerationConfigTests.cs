using DeRa.Engine.Text;
using DeRa.Testing;
using Xunit;

namespace DeRa.Engine.Tests.Text;

public sealed class GenerationConfigTests
{
    [Fact]
    public void End_tokens_are_those_of_all_files_together()
    {
        var config = Load("""{ "eos_token_id": 7 }""", """{ "eos_token_id": [8, 9] }""", """{ "eos_token": "</s>" }""");
        Assert.Equal([2, 7, 8, 9], config.EndTokens.Order());
    }

    [Theory]
    [InlineData("{}", new[] { 1 })]
    [InlineData("""{ "eos_token": null }""", new[] { 1 })]
    [InlineData("""{ "eos_token": "</s>" }""", new[] { 2 })]
    public void The_special_tokens_map_names_the_end_token_where_tokenizer_config_does_not(string config, int[] expected)
    {
        using var folder = new TemporaryFolder();
        folder.Write("tokenizer_config.json", config);
        folder.Write("special_tokens_map.json", """{ "eos_token": { "content": "<s>", "lstrip": false } }""");
        Assert.Equal(expected, GenerationConfig.Load(folder.Path, TinyTokenizer.Load(TinyTokenizer.ByteFallback())).EndTokens);
    }

    [Fact]
    public void Nothing_is_made_up_where_no_file_says_it()
    {
        var config = Load(null, null, null);
        Assert.Equivalent(new GenerationConfig { EndTokens = new HashSet<int>() }, config);
        Assert.Empty(Load(null, null, """{ "eos_token": null }""").EndTokens);
    }

    [Fact]
    public void Sampling_values_count_whether_or_not_do_sample_is_set()
    {
        var config = Load(null, """
            { "do_sample": false, "temperature": 0.6, "top_p": 0.9, "top_k": 20, "min_p": 0.05, "repetition_penalty": 1.05 }
            """, null);
        Assert.Equal((0.6, 0.9, 20, 0.05, 1.05), (config.Temperature!.Value, config.TopP!.Value, config.TopK!.Value, config.MinP!.Value, config.RepetitionPenalty!.Value));
        Assert.Equal(0.01, Load(null, """{ "temperature": 0.000001 }""", null).Temperature);
        Assert.Equal(0, Load(null, """{ "top_k": -1 }""", null).TopK);
    }

    [Fact]
    public void Stop_strings_are_one_or_several()
    {
        Assert.Equal(["\n\nUser:"], Load(null, """{ "stop_strings": "\n\nUser:" }""", null).StopStrings);
        Assert.Equal(["a", "b"], Load(null, """{ "stop_strings": ["a", "b"] }""", null).StopStrings);
    }

    [Theory]
    [InlineData("generation_config.json", """{ "stop_strings": 7 }""", "stop_strings")]
    [InlineData("generation_config.json", """{ "stop_strings": ["a", ""] }""", "stop_strings[1]")]
    [InlineData("config.json", """{ "eos_token_id": "x" }""", "eos_token_id")]
    [InlineData("config.json", """{ "eos_token_id": [1, -2] }""", "eos_token_id[1]")]
    [InlineData("config.json", "[1]", "an object")]
    [InlineData("generation_config.json", """{ "temperature": -1 }""", "temperature")]
    [InlineData("generation_config.json", """{ "temperature": 1e999 }""", "temperature")]
    [InlineData("generation_config.json", """{ "top_p": 0 }""", "top_p")]
    [InlineData("generation_config.json", """{ "top_k": 1.5 }""", "top_k")]
    [InlineData("generation_config.json", """{ "min_p": "0.1" }""", "min_p")]
    [InlineData("generation_config.json", """{ "repetition_penalty": 3 }""", "repetition_penalty")]
    [InlineData("generation_config.json", "{", "JSON")]
    [InlineData("tokenizer_config.json", """{ "eos_token": "<none>" }""", "eos_token")]
    [InlineData("tokenizer_config.json", """{ "eos_token": { "id": 1 } }""", "content")]
    public void A_malformed_file_is_refused_by_file_and_field(string file, string content, string field)
    {
        using var folder = new TemporaryFolder();
        folder.Write(file, content);
        var error = Assert.Throws<TokenizerException>(() => GenerationConfig.Load(folder.Path, TinyTokenizer.Load(TinyTokenizer.ByteFallback())));
        Assert.Contains(file, error.Message, StringComparison.Ordinal);
        Assert.Contains(field, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_is_read_with_its_own_tokenizer()
    {
        var folder = SharedData.Find("models/stories260k");
        Assert.SkipWhen(folder is null, SharedData.Missing);
        var config = GenerationConfig.Load(folder!, TokenizerLoader.Load(folder!));
        Assert.Equal([2], config.EndTokens);
        Assert.Null(config.Temperature);
    }

    private static GenerationConfig Load(string? model, string? generation, string? tokenizer)
    {
        using var folder = new TemporaryFolder();
        if (model is not null) folder.Write("config.json", model);
        if (generation is not null) folder.Write("generation_config.json", generation);
        if (tokenizer is not null) folder.Write("tokenizer_config.json", tokenizer);
        return GenerationConfig.Load(folder.Path, TinyTokenizer.Load(TinyTokenizer.ByteFallback()));
    }
}
