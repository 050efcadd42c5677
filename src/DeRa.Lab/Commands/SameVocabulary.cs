using DeRa.Text;
using DeRa.Text.Loading;

namespace DeRa.Lab.Commands;

/// <summary>Logits are mixed token by token: each id must mean the same token to both models of a pair.</summary>
internal static class SameVocabulary
{
    /// <summary>Checks the aligned model's tokenizer against the reference's.</summary>
    /// <exception cref="LabException">They differ; the message names the first difference.</exception>
    public static void Require(ITokenizer reference, string alignedFolder)
    {
        var aligned = TokenizerLoader.Load(alignedFolder);
        var ids = Math.Max(reference.VocabularySize, aligned.VocabularySize);
        if (TokenizerComparison.FirstDifference(reference, aligned, ids) is { } difference)
            throw new LabException($"--aligned {alignedFolder}: the vocabularies differ: {difference}.");
    }
}
