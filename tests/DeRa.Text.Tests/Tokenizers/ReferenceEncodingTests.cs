using System.Text.Json;
using System.Text.Json.Nodes;
using DeRa.Testing;
using DeRa.Text.Loading;
using Xunit;

namespace DeRa.Text.Tests.Tokenizers;

/// <summary>
/// Hard texts as the reference tokenizers library encodes and decodes them, with the pipelines of the published model families
/// over small made-up vocabularies, and with published tokenizers where those are at hand.
/// </summary>
public sealed class ReferenceEncodingTests
{
    private static readonly JsonNode Recorded = JsonNode.Parse(File.ReadAllText(
        Path.Combine(SharedData.ProjectRoot, "tests", "DeRa.Text.Tests", "Tokenizers", "reference-encodings.json")))!;

    public static TheoryData<string> Names => [.. Recorded["tokenizers"]!.AsArray().Select(item => item!["name"]!.GetValue<string>())];

    [Theory]
    [MemberData(nameof(Names))]
    public void Hard_texts_encode_and_decode_as_in_the_reference(string name)
    {
        var tokenizer = Load(name);
        foreach (var item in Find(name)["cases"]!.AsArray())
        {
            var text = (item![0]!.GetValueKind() == JsonValueKind.Number ? Recorded["texts"]![item[0]!.GetValue<int>()] : item[0])!
                .GetValue<string>();
            var ids = item[1]!.GetValue<string>().Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse).ToArray();
            Assert.Equal(ids, tokenizer.Encode(text, parseSpecialTokens: true));
            Assert.Equal(ids, tokenizer.Encode(text, addSpecialTokens: true, boundaries: []));
            if (item.AsArray().Count == 2) Assert.Equal(text, tokenizer.Decode(ids));
            else if (item[2] is { } decoded) Assert.Equal(decoded.GetValue<string>(), tokenizer.Decode(ids));
        }
    }

    /// <summary>In whichever of the pipelines, and though the vocabulary may hold the control tokens.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void No_control_token_comes_of_a_users_text(string name)
    {
        var tokenizer = Load(name);
        var special = Enumerable.Range(0, tokenizer.VocabularySize).Where(tokenizer.IsSpecial)
            .Select(id => tokenizer.GetToken(id)!).ToList();
        foreach (var token in special)
            foreach (var text in new[] { token, $"a{token}b", $" {token} ", token + token, $"\n{token}\n" })
                Assert.DoesNotContain(tokenizer.Encode(text, addSpecialTokens: false), tokenizer.IsSpecial);
    }

    private static JsonNode Find(string name) =>
        Recorded["tokenizers"]!.AsArray().Single(item => item!["name"]!.GetValue<string>() == name)!;

    /// <summary>Loads one of the recorded tokenizers by name.</summary>
    internal static ITokenizer Load(string name)
    {
        var recorded = Find(name);
        if (recorded["folder"] is { } folder)
        {
            var found = SharedData.Find(folder.GetValue<string>());
            Assert.SkipWhen(found is null, SharedData.Missing);
            using var copy = new TemporaryFolder();
            copy.Copy(Path.Combine(found!, "tokenizer.json"));
            return TokenizerLoader.Load(copy.Path);
        }
        var tokenizer = recorded["tokenizer"]!.DeepClone();
        var vocabulary = Recorded["vocabularies"]![recorded["vocabulary"]!.GetValue<string>()]!;
        tokenizer["model"]!["vocab"] = new JsonObject(vocabulary["tokens"]!.AsArray()
            .Select((token, id) => KeyValuePair.Create(token!.GetValue<string>(), (JsonNode?)id)));
        tokenizer["model"]!["merges"] = vocabulary["merges"]!.DeepClone();
        return TinyTokenizer.Load(tokenizer);
    }
}
