using DeRa.Text.Tokenizers.Bpe;
using DeRa.Text.Tokenizers.SentencePiece;
using Google.Protobuf;

namespace DeRa.Text.Tests.Tokenizers;

/// <summary>A model file written field by field, with the numbers of sentencepiece_model.proto.</summary>
internal sealed record SentencePieceModel(
    IReadOnlyList<Piece> Pieces, bool ByteFallback = true, bool RemoveExtraWhitespace = false, int Type = 2, string CharacterMap = "")
{
    /// <summary>The three control pieces, all bytes, one user-defined piece, and a few to merge.</summary>
    public static SentencePieceModel Tiny() => new(
    [
        new Piece("<unk>", 0, PieceType.Unknown), new Piece("<s>", 0, PieceType.Control), new Piece("</s>", 0, PieceType.Control),
        .. Enumerable.Range(0, 256).Select(b => new Piece(ByteToken.Format((byte)b), 0, PieceType.Byte)),
        new Piece("<x>", 0, PieceType.UserDefined), new Piece("ab", -1, PieceType.Normal), new Piece("aa", -2, PieceType.Normal),
        new Piece("▁t", -3, PieceType.Normal), new Piece("s>", -4, PieceType.Normal),
        .. "▁abto<>sx0A/".Select((c, i) => new Piece(c.ToString(), -10 - i, PieceType.Normal)),
    ]);

    public byte[] ToBytes() => Message(output =>
    {
        foreach (var piece in Pieces) WriteBytes(output, 1, WritePiece(piece));
        WriteBytes(output, 2, Message(trainer =>
        {
            WriteNumber(trainer, 3, Type);
            WriteNumber(trainer, 35, ByteFallback ? 1 : 0);
        }));
        WriteBytes(output, 3, Message(normalizer =>
        {
            WriteBytes(normalizer, 2, [.. CharacterMap.Select(c => (byte)c)]);
            WriteNumber(normalizer, 4, RemoveExtraWhitespace ? 1 : 0);
        }));
    });

    private static byte[] WritePiece(Piece piece) => Message(output =>
    {
        output.WriteTag(1, WireFormat.WireType.LengthDelimited);
        output.WriteString(piece.Text);
        output.WriteTag(2, WireFormat.WireType.Fixed32);
        output.WriteFloat(piece.Score);
        WriteNumber(output, 3, (int)piece.Type);
    });

    private static byte[] Message(Action<CodedOutputStream> write)
    {
        using var stream = new MemoryStream();
        using (var output = new CodedOutputStream(stream, leaveOpen: true)) write(output);
        return stream.ToArray();
    }

    private static void WriteBytes(CodedOutputStream output, int field, byte[] bytes)
    {
        output.WriteTag(field, WireFormat.WireType.LengthDelimited);
        output.WriteBytes(ByteString.CopyFrom(bytes));
    }

    private static void WriteNumber(CodedOutputStream output, int field, int number)
    {
        output.WriteTag(field, WireFormat.WireType.Varint);
        output.WriteInt32(number);
    }
}
