using System.Text.Json.Nodes;
using DeRa.Testing;
using DeRa.Text.Tokenizers.HuggingFace;
using Xunit;

namespace DeRa.Text.Tests.Tokenizers;

public sealed class BpeModelTests
{
    [Fact]
    public void A_token_without_text_is_never_made_of_one()
    {
        var file = TinyTokenizer.ByteLevel();
        file["model"]!["vocab"]![""] = 900;
        Assert.Equal(["the", "a"], TinyTokenizer.Load(file).Tokens("thea"));
    }

    [Theory]
    [InlineData("""{ "<s>": 0 }""", new int[0])]
    [InlineData("""{ "<s>": 0, "b": 5 }""", new[] { 5 })]
    public void A_vocabulary_of_few_tokens_or_only_special_ones_gives_what_it_can(string vocabulary, int[] expected)
    {
        var file = TinyTokenizer.ByteLevel();
        file["model"]!["vocab"] = JsonNode.Parse(vocabulary);
        file["model"]!["merges"] = new JsonArray();
        file["added_tokens"]![0]!["id"] = 0;
        file["post_processor"] = null;
        Assert.Equal(expected, TinyTokenizer.Load(file).Encode("abc"));
    }

    /// <summary>Microsoft.ML.Tokenizers encodes short pieces, our loop long ones: the border between them must not show.</summary>
    [Fact]
    public void Our_merge_loop_gives_the_ids_of_the_library()
    {
        var random = new Random(1);
        for (var round = 0; round < 20; round++)
        {
            var model = RandomModel(random);
            for (var i = 0; i < 200; i++)
            {
                var piece = RandomPiece(random, random.Next(1, 40));
                List<int> ours = [], theirs = [];
                model.EncodeByMergeLoop(piece, ours);
                model.Encode(piece, theirs);
                Assert.Equal(theirs, ours);
            }
        }
    }

    [Fact]
    public void Merging_follows_rank_and_then_place_as_the_definition_says()
    {
        var random = new Random(2);
        for (var round = 0; round < 20; round++)
        {
            var merges = RandomMerges(random);
            var model = Read(merges);
            var vocabulary = Vocabulary(merges);
            for (var i = 0; i < 10; i++)
            {
                var piece = RandomPiece(random, random.Next(1, 400));
                List<int> ids = [];
                model.Encode(piece, ids);
                Assert.Equal(MergeByDefinition(piece, merges), ids.Select(id => vocabulary[id]));
            }
        }
    }

    /// <summary>The lowest-ranked pair anywhere, the leftmost of it, again and again.</summary>
    private static List<string> MergeByDefinition(string piece, List<(string Left, string Right)> merges)
    {
        var tokens = piece.Select(c => c.ToString()).ToList();
        var ranks = merges.Select((merge, rank) => (merge, rank)).ToDictionary(pair => pair.merge, pair => pair.rank);
        while (true)
        {
            var best = Enumerable.Range(0, tokens.Count - 1)
                .Select(at => (Rank: ranks.GetValueOrDefault((tokens[at], tokens[at + 1]), -1), At: at))
                .Where(pair => pair.Rank >= 0).OrderBy(pair => pair).FirstOrDefault((Rank: -1, At: -1));
            if (best.At < 0) return tokens;
            tokens[best.At] += tokens[best.At + 1];
            tokens.RemoveAt(best.At + 1);
        }
    }

    private static Text.Tokenizers.Bpe.BpeModel RandomModel(Random random) => Read(RandomMerges(random));

    private static Text.Tokenizers.Bpe.BpeModel Read(List<(string Left, string Right)> merges)
    {
        var model = new JsonObject
        {
            ["type"] = "BPE",
            ["vocab"] = new JsonObject(Vocabulary(merges).Select((token, id) => KeyValuePair.Create(token, (JsonNode?)id))),
            ["merges"] = new JsonArray([.. merges.Select(merge => (JsonNode)$"{merge.Left} {merge.Right}")]),
        };
        using var folder = new TemporaryFolder();
        folder.Write("model.json", model.ToJsonString());
        var field = JsonField.ReadFile(Path.Combine(folder.Path, "model.json"));
        return BpeModelReader.Read(field, BpeModelReader.ReadVocabulary(field), _ => false);
    }

    private static List<string> Vocabulary(List<(string Left, string Right)> merges) =>
        [.. "abc".Select(c => c.ToString()).Concat(merges.Select(merge => merge.Left + merge.Right)).Distinct()];

    private static List<(string Left, string Right)> RandomMerges(Random random)
    {
        List<string> tokens = ["a", "b", "c"];
        var merges = new List<(string, string)>();
        while (merges.Count < 20)
        {
            var merge = (tokens[random.Next(tokens.Count)], tokens[random.Next(tokens.Count)]);
            if (merges.Contains(merge)) continue;
            merges.Add(merge);
            if (!tokens.Contains(merge.Item1 + merge.Item2)) tokens.Add(merge.Item1 + merge.Item2);
        }
        return merges;
    }

    private static string RandomPiece(Random random, int length) =>
        new([.. Enumerable.Range(0, length).Select(_ => "abc"[random.Next(3)])]);
}
