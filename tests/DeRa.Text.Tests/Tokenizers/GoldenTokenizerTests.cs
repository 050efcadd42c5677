using System.Text.Json;
using DeRa.Testing;
using DeRa.Text.Loading;
using Xunit;

namespace DeRa.Text.Tests.Tokenizers;

/// <summary>Compares with ids from the reference tokenizers library, sentencepiece and llama.cpp's test vectors.</summary>
public sealed class GoldenTokenizerTests
{
    public static TheoryData<string> CaseFolders =>
    [
        "golden/llama-gqa", "golden/llama-llama3", "golden/llama-linear-bias", "golden/mistral-swa", "golden/qwen2",
        "golden/qwen3", "golden/gpt2", "golden/gpt_neox-parallel", "golden/gpt_neox-sequential", "golden/gemma2",
        "golden/pair/sft", "golden/pair/aligned", "golden/pair/merged",
        "models/stories260k", "models/babyllama-reference", "models/babyllama-aligned",
    ];

    [Theory]
    [MemberData(nameof(CaseFolders))]
    public void Tokenizer_json_gives_the_reference_ids_and_text(string folder)
    {
        var tokenizer = TokenizerLoader.Load(Require(folder));
        foreach (var golden in ReadCases(folder))
        {
            Assert.Equal(golden.Ids, tokenizer.Encode(golden.Text, parseSpecialTokens: true));
            Assert.Equal(golden.IdsWithoutSpecial, tokenizer.Encode(golden.Text, addSpecialTokens: false, parseSpecialTokens: true));
            Assert.Equal(golden.Decoded, tokenizer.Decode(golden.Ids));
        }
    }

    [Theory]
    [InlineData("models/stories260k")]
    [InlineData("models/babyllama-reference")]
    public void Tokenizer_model_gives_the_ids_of_sentencepiece(string folder)
    {
        using var model = new TemporaryFolder();
        model.Copy(Require(folder + "/tokenizer.model"));
        var tokenizer = TokenizerLoader.Load(model.Path);
        foreach (var golden in ReadCases(folder))
        {
            Assert.Equal(golden.IdsSentencePiece, tokenizer.Encode(golden.Text, addSpecialTokens: false));
            Assert.Equal(golden.Ids[..1], tokenizer.Encode(golden.Text).Take(1));
        }
    }

    [Theory]
    [InlineData("gpt2", "tokenizer.json", "gpt-2")]
    [InlineData("qwen2_5", "tokenizer.json", "qwen2")]
    [InlineData("mistral-7b-v0.1", "tokenizer.json", "mistral-7b-v0.1")]
    [InlineData("mistral-7b-v0.1", "tokenizer.model", "mistral-7b-v0.1")]
    [InlineData("llama-2", "tokenizer.model", "llama-spm")]
    public void Published_tokenizers_give_the_ids_of_the_test_vectors(string name, string file, string vectors)
    {
        using var model = new TemporaryFolder();
        model.Copy(Require($"tokenizers/{name}/{file}"));
        var tokenizer = TokenizerLoader.Load(model.Path);
        var texts = File.ReadAllText(Require($"tokenizers/golden/{vectors}.inp")).Split("\n__ggml_vocab_test__\n");
        var ids = File.ReadAllLines(Require($"tokenizers/golden/{vectors}.out"));
        Assert.Equal(46, ids.Length);
        for (var i = 0; i < ids.Length; i++)
        {
            var expected = ids[i].Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse);
            Assert.Equal(expected, tokenizer.Encode(texts[i], addSpecialTokens: false));
            Assert.Equal(texts[i], tokenizer.Decode(tokenizer.Encode(texts[i])));
        }
    }

    [Theory]
    [MemberData(nameof(CaseFolders))]
    public void No_control_token_comes_of_a_users_text(string folder)
    {
        var tokenizer = TokenizerLoader.Load(Require(folder));
        var special = Enumerable.Range(0, tokenizer.VocabularySize).Where(tokenizer.IsSpecial).ToDictionary(id => id, tokenizer.GetToken);
        Assert.NotEmpty(special);
        foreach (var (id, token) in special)
            foreach (var text in new[] { token!, $"a{token}b", $" {token} ", token + token })
            {
                // Characters that the vocabulary lacks are unknown, whatever they spell.
                var control = tokenizer.Encode(text, addSpecialTokens: false).Where(tokenizer.IsSpecial).Select(found => special[found]);
                Assert.All(control, found => Assert.Equal("<unk>", found));
                Assert.Contains(id, tokenizer.Encode(text, addSpecialTokens: false, parseSpecialTokens: true));
            }
    }

    private static string Require(string path)
    {
        var found = SharedData.Find(path);
        Assert.SkipWhen(found is null, SharedData.Missing);
        return found!;
    }

    private static List<Case> ReadCases(string folder) =>
        [.. JsonDocument.Parse(File.ReadAllText(Require(folder + "/tokenizer_cases.json")))
        .RootElement.EnumerateArray().Select(Case.Read)];

    private sealed record Case(string Text, int[] Ids, int[] IdsWithoutSpecial, int[]? IdsSentencePiece, string Decoded)
    {
        public static Case Read(JsonElement item) => new(
            item.GetProperty("text").GetString()!,
            item.GetProperty("ids").Deserialize<int[]>()!,
            item.GetProperty("ids_without_special").Deserialize<int[]>()!,
            item.TryGetProperty("ids_sentencepiece", out var ids) ? ids.Deserialize<int[]>() : null,
            item.GetProperty("decoded").GetString()!);
    }
}
