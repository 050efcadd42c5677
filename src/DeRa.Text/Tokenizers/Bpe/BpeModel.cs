using System.Runtime.InteropServices;
using Microsoft.ML.Tokenizers;

namespace DeRa.Text.Tokenizers.Bpe;

/// <summary>Byte-pair encoding of one pre-tokenized piece.</summary>
internal sealed class BpeModel
{
    /// <summary>
    /// Longest piece in characters that goes to Microsoft.ML.Tokenizers, whose time grows with the square of the length.
    /// </summary>
    private const int LongestShortPiece = 256;

    private readonly SymbolTable _symbols;
    private readonly MergeTable _merges;
    private readonly BpeTokenizer? _shortPieces;
    private readonly IReadOnlyDictionary<string, int>? _wholePieces;

    /// <param name="symbols">What characters become before merging.</param>
    /// <param name="merges">What merges.</param>
    /// <param name="shortPieces">Does the same for short pieces; null where it cannot (byte fallback, SentencePiece).</param>
    /// <param name="wholePieces">A vocabulary whose tokens need no merges (<c>ignore_merges</c>), or null.</param>
    public BpeModel(
        SymbolTable symbols, MergeTable merges, BpeTokenizer? shortPieces, IReadOnlyDictionary<string, int>? wholePieces) =>
        (_symbols, _merges, _shortPieces, _wholePieces) = (symbols, merges, shortPieces, wholePieces);

    /// <summary>Encodes a piece.</summary>
    /// <param name="piece">Text in the vocabulary's alphabet, well-formed UTF-16.</param>
    /// <param name="output">Receives the ids.</param>
    public void Encode(string piece, List<int> output)
    {
        if (_wholePieces is not null && _wholePieces.TryGetValue(piece, out var whole))
            output.Add(whole);
        else if (_shortPieces is not null && piece.Length <= LongestShortPiece)
            output.AddRange(_shortPieces.EncodeToIds(piece, considerPreTokenization: false, considerNormalization: false));
        else
            EncodeByMergeLoop(piece, output);
    }

    /// <summary>The same by our own merge loop, whatever the length.</summary>
    internal void EncodeByMergeLoop(string piece, List<int> output)
    {
        var start = output.Count;
        _symbols.AddTo(output, piece);
        var symbols = CollectionsMarshal.AsSpan(output)[start..];
        var count = MergeLoop.Run(_merges, symbols, out _);
        output.RemoveRange(start + count, symbols.Length - count);
    }
}
