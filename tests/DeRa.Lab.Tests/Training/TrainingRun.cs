using DeRa.Lab.Models;
using DeRa.Lab.Training;
using DeRa.Testing;
using static TorchSharp.torch;

namespace DeRa.Lab.Tests.Training;

/// <summary>Runs of the trainer in one folder that goes with the test.</summary>
internal sealed class TrainingRun : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public string Path => _folder.Path;

    public string Output { get; private set; } = "";

    public string[] Curve => File.ReadAllLines(System.IO.Path.Combine(Path, "training.jsonl"));

    public IEnumerable<string> Checkpoints =>
        Directory.GetDirectories(Path, "checkpoint-*").Select(name => System.IO.Path.GetFileName(name)!).Order();

    /// <summary>The finished weights as they were written.</summary>
    public byte[] Weights => File.ReadAllBytes(System.IO.Path.Combine(Path, "model.safetensors"));

    /// <summary>Trains a fresh model; returns it as it was left.</summary>
    public TrainableDecoder Run(TrainingSettings settings, ITrainingTask task, TrainableDecoder model, CancellationTokenSource? stop = null)
    {
        using var text = new StringWriter();
        try
        {
            new Trainer(settings, task, new RunFolder(Path), new TrainingProgress(text, "test", isTerminal: false))
                .Run(model, Write, stop?.Token ?? CancellationToken.None);
        }
        finally
        {
            Output = text.ToString();
        }
        return model;
    }

    public void Dispose() => _folder.Dispose();

    private void Write(TrainableDecoder model) =>
        ModelFolder.WriteWeights(System.IO.Path.Combine(Path, "model.safetensors"), model, ScalarType.Float32);
}
