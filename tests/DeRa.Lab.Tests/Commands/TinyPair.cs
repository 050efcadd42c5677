using DeRa.Lab.Models;
using DeRa.Lab.Tests.Commands;
using DeRa.Testing;
using Xunit;

[assembly: AssemblyFixture(typeof(TinyPair))]

namespace DeRa.Lab.Tests.Commands;

/// <summary>
/// What the commands themselves make of a few sentences: texts, a tokenizer, and a model that has learned how long they are.
/// </summary>
public sealed class TinyPair : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();

    public string Text => Path.Combine(_folder.Path, "texts.txt");

    public string Tokenizer => Path.Combine(_folder.Path, "tokenizer");

    public string Model => Path.Combine(_folder.Path, "model");

    /// <summary>Options of a small and quick training.</summary>
    public IEnumerable<string> Train(string output, int steps) =>
    [
        "train", "--text", Text, "--tokenizer", Tokenizer, "--output", output, "--steps", $"{steps}", "--hidden", "32",
        "--intermediate", "64", "--layers", "1", "--heads", "2", "--context", "48", "--batch-rows", "8", "--row-tokens", "32",
        "--warmup-steps", "5", "--learning-rate", "2e-2", "--checkpoint-steps", "10", "--threads", "1", "--device", "cpu",
    ];

    public async ValueTask InitializeAsync()
    {
        var random = new Random(1);
        string[] names = ["Tom", "Lily", "Ben", "The cat", "The dog"],
            acts = ["ran", "sat", "saw a ball", "was happy", "went home", "had a big red ball"];
        var texts = Enumerable.Range(0, 300).Select(_ => string.Join(' ',
            Enumerable.Range(0, random.Next(1, 4)).Select(_ => $"{names[random.Next(names.Length)]} {acts[random.Next(acts.Length)]}.")));
        _folder.Write("texts.txt", string.Join("\n<|endoftext|>\n", texts));
        await LabRun.OutputAsync("tokenizer", "--text", Text, "--vocabulary", "300", "--context", "48", "--output", Tokenizer);
        await LabRun.OutputAsync(Train(Model, steps: 120));
    }

    public ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    internal TrainableDecoder Load() => TrainableDecoder.Load(Model, TorchSharp.torch.CPU);
}
