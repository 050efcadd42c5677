using System.Text;

namespace DeRa.Testing.Server;

/// <summary>Executors that say what a test wants to hear.</summary>
public static class Scripts
{
    /// <summary>Says a text, a byte a token, and ends with end-of-sequence.</summary>
    public static ScriptedExecutor Saying(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        return new ScriptedExecutor
        {
            Script = row => row.Sampling!.History.Length - row.Sampling.PromptTokens is var place && place < bytes.Length
                ? bytes[place] : ByteTokenizer.Eos,
        };
    }

    /// <summary>Goes on and on.</summary>
    public static ScriptedExecutor Endless() =>
        new(contextTokens: 1 << 20, blockTokens: 1 << 12, blockCount: 1 << 9) { Script = _ => 'a' };
}
