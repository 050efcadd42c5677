using Google.Protobuf;

namespace DeRa.Text.Tokenizers.SentencePiece;

/// <summary>What a piece is. Source: <c>ModelProto.SentencePiece.Type</c> of sentencepiece_model.proto.</summary>
internal enum PieceType
{
    Normal = 1,
    Unknown = 2,
    Control = 3,
    UserDefined = 4,
    Unused = 5,
    Byte = 6,
}

/// <summary>One entry of the vocabulary; its id is its place in the file.</summary>
internal readonly record struct Piece(string Text, float Score, PieceType Type);

/// <summary>
/// The content of a SentencePiece <c>tokenizer.model</c>. Source: sentencepiece_model.proto of google/sentencepiece, whose
/// field numbers and defaults these are. Read here because Microsoft.ML.Tokenizers shows neither types nor scores.
/// </summary>
internal sealed class SentencePieceFile
{
    public List<Piece> Pieces { get; } = [];

    /// <summary>1 unigram, 2 BPE, 3 word, 4 character.</summary>
    public int ModelType { get; private set; } = 1;

    public bool TreatsWhitespaceAsSuffix { get; private set; }

    public bool HasByteFallback { get; private set; }

    public int BeginId { get; private set; } = 1;

    public int EndId { get; private set; } = 2;

    public bool HasCharacterMap { get; private set; }

    public bool AddsDummyPrefix { get; private set; } = true;

    public bool RemovesExtraWhitespace { get; private set; } = true;

    public bool EscapesWhitespace { get; private set; } = true;

    /// <exception cref="TokenizerException">The file cannot be read or is not such a file.</exception>
    public static SentencePieceFile Read(string path)
    {
        try
        {
            var file = new SentencePieceFile();
            ReadFields(ModelFile.ReadAllBytes(path), file.ReadModelField);
            if (file.Pieces.Count > 0) return file;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new TokenizerException($"{path}: cannot be read as a SentencePiece model: {error.Message}", error);
        }
        throw new TokenizerException($"{path}: is no SentencePiece model: it has no pieces");
    }

    /// <summary>Calls back for each field of a message; the callback says whether it read the value.</summary>
    private static void ReadFields(byte[] message, Func<int, CodedInputStream, bool> read)
    {
        using var input = new CodedInputStream(message);
        while (input.ReadTag() is not 0 and var tag)
            if (!read(WireFormat.GetTagFieldNumber(tag), input)) input.SkipLastField();
    }

    private bool ReadModelField(int field, CodedInputStream input)
    {
        switch (field)
        {
            case 1: Pieces.Add(ReadPiece(input.ReadBytes().ToByteArray())); return true;
            case 2: ReadFields(input.ReadBytes().ToByteArray(), ReadTrainerField); return true;
            case 3: ReadFields(input.ReadBytes().ToByteArray(), ReadNormalizerField); return true;
            default: return false;
        }
    }

    private static Piece ReadPiece(byte[] message)
    {
        var piece = new Piece("", 0, PieceType.Normal);
        ReadFields(message, (field, input) =>
        {
            switch (field)
            {
                case 1: piece = piece with { Text = input.ReadString() }; return true;
                case 2: piece = piece with { Score = input.ReadFloat() }; return true;
                case 3: piece = piece with { Type = (PieceType)input.ReadEnum() }; return true;
                default: return false;
            }
        });
        return piece;
    }

    private bool ReadTrainerField(int field, CodedInputStream input)
    {
        switch (field)
        {
            case 3: ModelType = input.ReadEnum(); return true;
            case 24: TreatsWhitespaceAsSuffix = input.ReadBool(); return true;
            case 35: HasByteFallback = input.ReadBool(); return true;
            case 41: BeginId = input.ReadInt32(); return true;
            case 42: EndId = input.ReadInt32(); return true;
            default: return false;
        }
    }

    private bool ReadNormalizerField(int field, CodedInputStream input)
    {
        switch (field)
        {
            case 2: HasCharacterMap = input.ReadBytes().Length > 0; return true;
            case 3: AddsDummyPrefix = input.ReadBool(); return true;
            case 4: RemovesExtraWhitespace = input.ReadBool(); return true;
            case 5: EscapesWhitespace = input.ReadBool(); return true;
            default: return false;
        }
    }
}
