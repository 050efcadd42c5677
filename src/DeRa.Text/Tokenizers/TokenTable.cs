namespace DeRa.Text.Tokenizers;

/// <summary>The text of each token in the vocabulary, which bytes it adds to a text, and whether it is special.</summary>
internal sealed class TokenTable
{
    /// <summary>Highest id accepted: tables are as long as the highest id, whatever a file says.</summary>
    public const int HighestId = (1 << 24) - 1;

    private readonly string?[] _texts;
    private readonly string[] _forms;
    private readonly byte[][] _bytes;
    private readonly bool[] _special;
    private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);

    /// <param name="tokens">
    /// All tokens with their ids, each id at most <see cref="HighestId"/>, and the form that becomes text: its text but
    /// for added tokens that are matched in normalized text.
    /// </param>
    /// <param name="special">Which of them are special.</param>
    /// <param name="render">The bytes that a form adds where it does not begin the text.</param>
    public TokenTable(
        IReadOnlyCollection<(string Token, int Id, string Form)> tokens, IReadOnlySet<int> special, Func<string, byte[]> render)
    {
        var size = tokens.Count == 0 ? 0 : tokens.Max(token => token.Id) + 1;
        _texts = new string?[size];
        _forms = new string[size];
        _bytes = new byte[size][];
        _special = new bool[size];
        Array.Fill(_forms, "");
        Array.Fill(_bytes, []);
        foreach (var (token, id, form) in tokens)
        {
            (_texts[id], _forms[id], _bytes[id], _special[id]) = (token, form, render(form), special.Contains(id));
            _ids[token] = id;
        }
    }

    /// <summary>One more than the highest id.</summary>
    public int Size => _texts.Length;

    /// <summary>The token's text in the vocabulary; null where the id names none.</summary>
    public string? TextOf(int id) => _texts[id];

    /// <summary>The form of the token that becomes text.</summary>
    public string Form(int id) => _forms[id];

    /// <summary>The bytes that the token adds to a text, special tokens too.</summary>
    public byte[] Bytes(int id) => _bytes[id];

    public bool IsSpecial(int id) => (uint)id < (uint)_special.Length && _special[id];

    public int? IdOf(string token) => _ids.TryGetValue(token, out var id) ? id : null;
}
