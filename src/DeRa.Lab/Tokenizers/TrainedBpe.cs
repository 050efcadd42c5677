namespace DeRa.Lab.Tokenizers;

/// <summary>A byte-level byte-pair encoding: what <see cref="BpeTrainer"/> learned.</summary>
/// <param name="SpecialTokens">The special tokens, whose ids are 0, 1, …; the first ends a text.</param>
/// <param name="Vocabulary">All tokens by id, in GPT-2's spelling of bytes: special tokens, the 256 bytes, merged tokens.</param>
/// <param name="Merges">The pairs of tokens that merge, the first to be merged first.</param>
public sealed record TrainedBpe(
    IReadOnlyList<string> SpecialTokens,
    IReadOnlyList<string> Vocabulary,
    IReadOnlyList<(string Left, string Right)> Merges);
