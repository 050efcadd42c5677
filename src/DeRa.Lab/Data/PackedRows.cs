using static TorchSharp.torch;

namespace DeRa.Lab.Data;

/// <summary>
/// Rows of equal length for training: each starts at the start of a random document and continues with others until it is full. The
/// last document may be truncated.
/// </summary>
/// <param name="documents">What to draw from.</param>
/// <param name="rows">Rows of a batch.</param>
/// <param name="tokens">Tokens of a row that have a successor.</param>
internal sealed class PackedRows(IReadOnlyList<EncodedDocument> documents, int rows, int tokens)
{
    /// <summary>Draws a batch; the same random source state gives the same one.</summary>
    /// <returns>Tokens: [rows, tokens + 1], int64. Mask: [rows, tokens], float32, 1 where the next token is learned.</returns>
    public (Tensor Tokens, Tensor Mask) Draw(Random random)
    {
        var (ids, mask) = (new long[rows, tokens + 1], new float[rows, tokens]);
        for (var row = 0; row < rows; row++)
        {
            for (var filled = 0; filled <= tokens;)
            {
                var document = documents[random.Next(documents.Count)];
                for (var i = 0; i < document.Tokens.Length && filled <= tokens; i++, filled++)
                {
                    ids[row, filled] = document.Tokens[i];
                    if (filled > 0 && i >= document.PromptTokens) mask[row, filled - 1] = 1;
                }
            }
        }
        return (from_array(ids), from_array(mask));
    }
}
