using System.Text;
using DeRa.Engine.Scheduling;

namespace DeRa.Testing.Server;

/// <summary>Executors that say what a test wants to hear.</summary>
public static class Scripts
{
    /// <summary>Says a text, a byte a token, and ends with end-of-sequence.</summary>
    /// <param name="text">The text.</param>
    /// <param name="models">Models of the pair, each a runner of its own.</param>
    public static ScriptedExecutor Saying(string text, int models = 2) =>
        new(runners: [.. Enumerable.Range(0, models).Select(model => new RunnerLimits([model], ""))])
        {
            Script = Script([.. Encoding.UTF8.GetBytes(text)]),
        };

    /// <summary>Says tokens in order; after them, where it is asked for guesses, end-of-sequence.</summary>
    public static Func<Readout, int?> Script(IReadOnlyList<int> tokens) => readout =>
        readout.Sampling!.Value.History.Length - readout.Sampling.Value.PromptTokens is var place && place < tokens.Count
            ? tokens[place] : ByteTokenizer.Eos;

    /// <summary>Goes on and on.</summary>
    public static ScriptedExecutor Endless() =>
        new(contextTokens: 1 << 20, blockTokens: 1 << 12, blockCount: 1 << 9) { Script = _ => 'a' };
}
