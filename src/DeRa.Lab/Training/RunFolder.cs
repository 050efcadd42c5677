using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using DeRa.Lab.Models;
using DeRa.Torch.Weights;
using static TorchSharp.torch;

namespace DeRa.Lab.Training;

/// <summary>
/// What a run stores besides the finished model: <c>run.json</c> (its settings), <c>training.jsonl</c> (a line a step) and, until it
/// is finished, the last <c>checkpoint-…</c> folder, which is created atomically.
/// </summary>
internal sealed class RunFolder(string path)
{
    private const string CheckpointPrefix = "checkpoint-", Unfinished = ".tmp", OptimizerFolder = "optimizer";
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>The folder.</summary>
    public string Path => path;

    /// <summary>Whether the run has finished and the model is in the folder.</summary>
    public bool IsFinished => File.Exists(In("model.safetensors")) && File.Exists(Curve) && !Checkpoints().Any();

    private string Curve => In("training.jsonl");

    /// <summary>Claims the folder for this run, or checks that it belongs to it.</summary>
    /// <exception cref="LabException">It holds a run with other settings, or a model.</exception>
    public void Claim(TrainingSettings settings, string task)
    {
        var wanted = new JsonObject { ["task"] = task, ["settings"] = JsonSerializer.SerializeToNode(settings) }.ToJsonString(Indented);
        if (File.Exists(In("run.json")))
        {
            if (File.ReadAllText(In("run.json")) == wanted) return;
            throw new LabException($"{path} holds a run with other settings (see its run.json); name another --output, or remove it.");
        }
        if (File.Exists(In("model.safetensors")) || File.Exists(In("config.json")))
            throw new LabException($"{path} holds a model already; name another --output.");
        Directory.CreateDirectory(path);
        WriteWhole(In("run.json"), wanted);
    }

    /// <summary>Loads the last checkpoint, if there is one, into the model and the optimiser.</summary>
    /// <returns>The steps that are done.</returns>
    public int Resume(TrainableDecoder model, Optimizer optimizer)
    {
        DeleteUnfinished();
        var last = Checkpoints().MaxBy(StepOf);
        var done = last is null ? 0 : StepOf(last);
        if (last is not null)
        {
            Read(last, model.Weights.Select(weight => KeyValuePair.Create(weight.Key, (Tensor)weight.Value)), model.Device);
            Read(System.IO.Path.Combine(last, OptimizerFolder), optimizer.State, model.Device);
        }
        var kept = File.Exists(Curve) ? File.ReadLines(Curve).Take(done) : [];
        WriteWhole(Curve, string.Concat(kept.Select(line => line + "\n")));
        return done;
    }

    /// <summary>Saves model and optimiser, then deletes the previous checkpoint.</summary>
    public void SaveCheckpoint(TrainableDecoder model, Optimizer optimizer, int steps)
    {
        var name = In(CheckpointPrefix + steps.ToString("D7", CultureInfo.InvariantCulture));
        if (Directory.Exists(name)) return;
        var older = Checkpoints().ToList();
        Directory.CreateDirectory(name + Unfinished);
        ModelFolder.WriteWeights(System.IO.Path.Combine(name + Unfinished, "model.safetensors"), model, ScalarType.Float32);
        var state = Directory.CreateDirectory(System.IO.Path.Combine(name + Unfinished, OptimizerFolder)).FullName;
        SafetensorsWriter.Write(System.IO.Path.Combine(state, "model.safetensors"), [.. optimizer.State], ScalarType.Float32);
        Directory.Move(name + Unfinished, name);
        older.ForEach(Delete);
    }

    /// <summary>Adds a step's line to the curve.</summary>
    public void Record(int step, double loss, IReadOnlyList<(string Name, double Value)> metrics)
    {
        var line = new JsonObject { ["step"] = step, ["loss"] = loss };
        foreach (var (name, value) in metrics) line[name] = double.IsFinite(value) ? value : null;
        File.AppendAllText(Curve, line.ToJsonString() + "\n");
    }

    /// <summary>Removes what only an unfinished run needs, once the model has been written.</summary>
    public void Finish()
    {
        DeleteUnfinished();
        foreach (var checkpoint in Checkpoints().ToList()) Delete(checkpoint);
    }

    private string In(string name) => System.IO.Path.Combine(path, name);

    private IEnumerable<string> Checkpoints() => !Directory.Exists(path) ? []
        : Directory.GetDirectories(path, CheckpointPrefix + "*").Where(name => !name.EndsWith(Unfinished, StringComparison.Ordinal));

    private void DeleteUnfinished()
    {
        foreach (var unfinished in Directory.GetDirectories(path, CheckpointPrefix + "*" + Unfinished))
            Directory.Delete(unfinished, recursive: true);
    }

    // Renamed first: after an interruption, a half-deleted folder must not look like a checkpoint.
    private static void Delete(string checkpoint)
    {
        Directory.Move(checkpoint, checkpoint + Unfinished);
        Directory.Delete(checkpoint + Unfinished, recursive: true);
    }

    private static void WriteWhole(string file, string text)
    {
        File.WriteAllText(file + Unfinished, text);
        File.Move(file + Unfinished, file, overwrite: true);
    }

    private static int StepOf(string checkpoint) =>
        int.Parse(System.IO.Path.GetFileName(checkpoint).AsSpan(CheckpointPrefix.Length), CultureInfo.InvariantCulture);

    private static void Read(string folder, IEnumerable<KeyValuePair<string, Tensor>> tensors, Device device)
    {
        using var checkpoint = Checkpoint.Open(folder);
        using var scope = NewDisposeScope();
        using var gradientsOff = no_grad();
        var reader = new WeightReader(checkpoint, device, ScalarType.Float32, _ => { }, CancellationToken.None);
        foreach (var (name, tensor) in tensors) tensor.copy_(reader.Read(name, tensor.shape));
    }
}
