using DeRa.Lab.Data;
using Xunit;
using static TorchSharp.torch;

namespace DeRa.Lab.Tests.Data;

public sealed class PackedRowsTests
{
    private const int Rows = 64, Tokens = 20;
    private static readonly EncodedDocument[] s_documents =
        [Numbered.Document(1, prompt: 3, text: 4), Numbered.Document(2, prompt: 1, text: 6), Numbered.Document(3, prompt: 0, text: 5),
            Numbered.Document(4, prompt: 2, text: 50)];

    [Fact]
    public void Rows_are_whole_documents_one_after_another_and_only_the_last_is_cut()
    {
        var (tokens, _) = Draw(seed: 1);
        var seen = new HashSet<int>();
        foreach (var row in tokens)
        {
            Assert.Equal(Tokens + 1, row.Length);
            for (var i = 0; i < row.Length;)
            {
                var document = s_documents[row[i] / 100 - 1];
                var part = row[i..Math.Min(row.Length, i + document.Tokens.Length)];
                Assert.Equal(document.Tokens.Take(part.Length), part.Select(token => (int)token));
                seen.Add((int)row[i] / 100);
                i += part.Length;
            }
        }
        Assert.Equal(4, seen.Count);
    }

    [Fact]
    public void Loss_is_taken_on_texts_and_their_ends_and_not_on_prompts()
    {
        var (tokens, mask) = Draw(seed: 2);
        var ends = 0;
        for (var row = 0; row < Rows; row++)
            for (var i = 0; i < Tokens; i++)
            {
                var next = (int)tokens[row][i + 1];
                var learned = next == Numbered.End || next % 100 >= s_documents[next / 100 - 1].PromptTokens;
                Assert.Equal(learned ? 1 : 0, mask[row][i]);
                if (next == Numbered.End) ends++;
            }
        Assert.True(ends > Rows, "too few ends were met");
    }

    [Fact]
    public void The_same_state_of_the_source_draws_the_same_rows()
    {
        Assert.Equal(Draw(seed: 3).Tokens, Draw(seed: 3).Tokens);
        Assert.NotEqual(Draw(seed: 3).Tokens, Draw(seed: 4).Tokens);
    }

    private static (long[][] Tokens, float[][] Mask) Draw(int seed)
    {
        using var scope = NewDisposeScope();
        var (tokens, mask) = new PackedRows(s_documents, Rows, Tokens).Draw(new Random(seed));
        return ([.. tokens.data<long>().ToArray().Chunk(Tokens + 1)], [.. mask.data<float>().ToArray().Chunk(Tokens)]);
    }
}
