using DeRa.Serving.Inspection;
using DeRa.Text;
using DeRa.Text.Loading;
using DeRa.Torch.Configuration;
using static DeRa.Cli.FactTable;

namespace DeRa.Cli;

/// <summary>What <c>dera inspect</c> says of two models together.</summary>
/// <param name="Text">Lines without a last line end.</param>
/// <param name="IsPair">Whether both can be served and mixed.</param>
internal sealed record PairReport(string Text, bool IsPair)
{
    public static PairReport Of(ModelInspection reference, ModelInspection aligned)
    {
        var table = new FactTable("pair");
        var isSame = AddVocabulary(table, reference.Tokenizer, aligned.Tokenizer);
        if (reference.Checkpoint.Config is { } first && aligned.Checkpoint.Config is { } second)
            AddConfigs(table, reference, aligned, first, second);
        var isPair = isSame && reference.Problems.Count == 0 && aligned.Problems.Count == 0;
        table.Add("can be mixed", isPair ? "yes" : "no");
        return new PairReport(table.ToString(), isPair);
    }

    private static bool AddVocabulary(FactTable table, ITokenizer? reference, ITokenizer? aligned)
    {
        if (reference is null || aligned is null) return false;
        var size = Math.Max(reference.VocabularySize, aligned.VocabularySize);
        var difference = TokenizerComparison.FirstDifference(reference, aligned, size);
        table.Add("vocabulary", difference is null ? $"the same {Number(size)} tokens" : $"differs: {difference}");
        return difference is null;
    }

    private static void AddConfigs(
        FactTable table, ModelInspection reference, ModelInspection aligned, ModelConfig first, ModelConfig second) => table
        .Add("family", first.Family == second.Family ? $"both {first.Family}" : $"{first.Family} and {second.Family}")
        .Add("output", first.VocabularySize == second.VocabularySize
            ? $"both {Number(first.VocabularySize)} wide"
            : $"{Number(first.VocabularySize)} and {Number(second.VocabularySize)} wide; the tokenizer's tokens are mixed, padding is not")
        .Add("context", $"{Number(Math.Min(first.ContextTokens, second.ContextTokens))} tokens")
        .AddBytes("weights", bytes => reference.Checkpoint.WeightBytes(bytes) + aligned.Checkpoint.WeightBytes(bytes))
        .AddBytes("cache per token", bytes =>
            reference.Checkpoint.CacheBytesPerToken(bytes) + aligned.Checkpoint.CacheBytesPerToken(bytes));
}
