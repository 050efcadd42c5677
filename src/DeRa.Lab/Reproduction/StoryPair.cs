using System.Globalization;

namespace DeRa.Lab.Reproduction;

/// <summary>The command lines that make the server's default pair from texts: one place for what its card says.</summary>
/// <param name="texts">Files of stories to learn from.</param>
/// <param name="heldOut">File of stories to measure with.</param>
/// <param name="folder">Where data, tokenizer and models go.</param>
/// <param name="compute">Options of every command that computes.</param>
internal sealed class StoryPair(IReadOnlyList<string> texts, string heldOut, string folder, IReadOnlyList<string> compute)
{
    private string Data => Path.Combine(folder, "data");

    private string Stories => Path.Combine(Data, "stories.txt");

    private string Chats => Path.Combine(Data, "chats.jsonl");

    /// <summary>Each command in order; all but the first two go on where they were interrupted.</summary>
    public IEnumerable<IReadOnlyList<string>> Commands =>
    [
        ["stories", "--text", .. texts, "--held-out", heldOut, "--output", Data],
        ["tokenizer", "--text", Stories, Chats, "--vocabulary", "4096", "--output", In("tokenizer")],
        [
            .. Train("pretrained", steps: 2400, learningRate: 4e-3, seed: 1), "--tokenizer", In("tokenizer"),
            "--hidden", "256", "--intermediate", "640", "--layers", "5", "--heads", "4",
        ],
        [.. Train("reference", steps: 150, learningRate: 5e-4, seed: 2), "--from", In("pretrained"), "--dtype", "bfloat16"],
    ];

    private IReadOnlyList<string> Train(string name, int steps, double learningRate, int seed) =>
    [
        "train", "--text", Stories, Chats, "--output", In(name), "--steps", Text(steps), "--warmup-steps", Text(50),
        "--batch-rows", "12", "--row-tokens", "512", "--optimizer", "muon", "--learning-rate", Text(learningRate),
        "--weight-decay", "0.1", "--compute-dtype", "bfloat16", "--seed", Text(seed), .. compute,
    ];

    private string In(string name) => Path.Combine(folder, name);

    private static string Text(IFormattable number) => number.ToString(null, CultureInfo.InvariantCulture);
}
