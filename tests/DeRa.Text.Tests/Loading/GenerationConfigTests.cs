using DeRa.Serving.Requests;
using DeRa.Testing;
using DeRa.Text.Loading;
using Xunit;

namespace DeRa.Text.Tests.Loading;

public sealed class GenerationConfigTests
{
    [Theory]
    [InlineData("""{ "eos_token_id": 7 }""", """{ "eos_token_id": [8, 9] }""", new[] { 2, 8, 9 })] // 7 is left from the base model.
    [InlineData("""{ "eos_token_id": [7, 6] }""", """{ "eos_token_id": 8 }""", new[] { 2, 8 })]
    [InlineData("""{ "eos_token_id": "none" }""", """{ "eos_token_id": 8 }""", new[] { 2, 8 })]
    [InlineData("""{ "eos_token_id": 7 }""", """{ "eos_token_id": [] }""", new[] { 2 })]
    [InlineData("""{ "eos_token_id": 7 }""", """{ "eos_token_id": null }""", new[] { 2, 7 })]
    [InlineData("""{ "eos_token_id": 7 }""", """{ "bos_token_id": 1 }""", new[] { 2, 7 })]
    [InlineData("""{ "eos_token_id": [7, 6] }""", null, new[] { 2, 6, 7 })]
    [InlineData("""{ "eos_token_id": null }""", """{ "eos_token_id": 8 }""", new[] { 2, 8 })]
    public void The_generation_configuration_says_what_ends_a_text_where_it_says_so_and_the_tokenizers_token_does_too(
        string model, string? generation, int[] expected) =>
        Assert.Equal(expected, Load(model, generation, """{ "eos_token": "</s>" }""").EndTokens.Order());

    [Fact]
    public void Each_model_of_a_pair_ends_a_text_by_its_own_files()
    {
        var reference = Load("""{ "eos_token_id": 7 }""", null, null);
        var tuned = Load("""{ "eos_token_id": 8 }""", """{ "eos_token_id": 9 }""", null);
        var adapter = Load(null, null, """{ "eos_token": "</s>" }""");
        Assert.Equal([2, 7, 9], GenerationDefaults.Of(reference, [tuned, adapter]).EndOfSequenceTokens.Order());
    }

    [Theory]
    [InlineData("{}", new[] { 1 })]
    [InlineData("""{ "eos_token": null }""", new[] { 1 })]
    [InlineData("""{ "eos_token": "</s>" }""", new[] { 1 })]
    [InlineData("""{ "eos_token": "</s>", "added_tokens_decoder": {} }""", new[] { 2 })]
    [InlineData("""{ "added_tokens_decoder": {} }""", new int[0])]
    public void The_special_tokens_map_names_the_end_token_unless_tokenizer_config_has_the_added_tokens(string config, int[] expected)
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
        Assert.Equal((0.6, 0.9, 20, 0.05, 1.05),
            (config.Temperature!.Value, config.TopP!.Value, config.TopK!.Value, config.MinP!.Value, config.RepetitionPenalty!.Value));
        Assert.Equal(0.01, Load(null, """{ "temperature": 0.000001 }""", null).Temperature);
        Assert.Equal(0, Load(null, """{ "top_k": -1 }""", null).TopK);
    }

    [Fact]
    public void Stop_strings_are_one_or_several()
    {
        Assert.Equal(["\n\nUser:"], Load(null, """{ "stop_strings": "\n\nUser:" }""", null).StopStrings);
        Assert.Equal(["a", "b"], Load(null, """{ "stop_strings": ["a", "b"] }""", null).StopStrings);
    }

    [Fact]
    public void Stop_strings_of_a_model_are_bounded()
    {
        string File(int count, int length) =>
            $$"""{ "stop_strings": [{{string.Join(',', Enumerable.Repeat($"\"{new string('a', length)}\"", count))}}] }""";
        Assert.Equal(64, Load(null, File(64, 1024), null).StopStrings.Count);
        foreach (var (count, length, expected) in ((int, int, string)[])[(65, 1, "more than 64"), (1, 1025, "1 to 1024")])
            Assert.Contains(expected,
                Assert.Throws<TokenizerException>(() => Load(null, File(count, length), null)).Message, StringComparison.Ordinal);
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
        var error = Assert.Throws<TokenizerException>(
            () => GenerationConfig.Load(folder.Path, TinyTokenizer.Load(TinyTokenizer.ByteFallback())));
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
