using System.Runtime.InteropServices;
using DeRa.Testing;
using DeRa.Torch.Tests.Weights;
using DeRa.Torch.Weights;
using static TorchSharp.torch;

namespace DeRa.Torch.Tests.Adapters;

/// <summary>
/// A random adapter over a golden model, as PEFT saves it, and the same merged into the stored weights by plain arithmetic on
/// them: W + α/r · B·A.
/// </summary>
internal sealed class RandomAdapter : IDisposable
{
    private readonly TemporaryFolder _adapter = new();
    private readonly TemporaryFolder _merged = new();

    /// <param name="model">A golden model.</param>
    /// <param name="modules">The last part of the names of the modules to adapt.</param>
    /// <param name="isTransposed">Whether weights are stored as [inputs, outputs].</param>
    /// <param name="seed">Seeds the factors.</param>
    public RandomAdapter(string model, string[] modules, bool isTransposed, int seed = 1)
    {
        var folder = GoldenData.Committed(model);
        using var checkpoint = Checkpoint.Open(folder);
        var random = new Random(seed);
        var merged = checkpoint.Names.ToDictionary(name => name, name => Read(checkpoint, name));
        var factors = new Dictionary<string, (long[] Shape, float[] Values)>();
        foreach (var name in checkpoint.Names.Order(StringComparer.Ordinal))
        {
            var module = name.EndsWith(".weight", StringComparison.Ordinal) ? name[..^".weight".Length] : "";
            if (!modules.Contains(module.Split('.')[^1])) continue;
            // One module of a layer has another rank and α than the others.
            var (rank, alpha) = module.EndsWith(modules[0], StringComparison.Ordinal) ? (3, 5.0) : (2, 4.0);
            var (shape, values) = merged[name];
            var (outputs, inputs) = isTransposed ? (shape[1], shape[0]) : (shape[0], shape[1]);
            var (down, up) = (Normal(random, rank * inputs, 0.2), Normal(random, outputs * rank, 0.2));
            factors[$"base_model.model.{module}.lora_A.weight"] = ([rank, inputs], down);
            factors[$"base_model.model.{module}.lora_B.weight"] = ([outputs, rank], up);
            for (var o = 0; o < outputs; o++)
                for (var i = 0; i < inputs; i++)
                {
                    double sum = 0;
                    for (var r = 0; r < rank; r++) sum += (double)up[o * rank + r] * down[r * inputs + i];
                    values[isTransposed ? i * outputs + o : o * inputs + i] += (float)(sum * alpha / rank);
                }
        }
        Write(_adapter, "adapter_model.safetensors", factors);
        _adapter.Write("adapter_config.json", $$"""
            {"peft_type": "LORA", "r": 2, "lora_alpha": 4, "target_modules": [{{string.Join(',', modules.Select(name => $"\"{name}\""))}}],
             "rank_pattern": {"{{modules[0]}}": 3}, "alpha_pattern": {".*\\.{{modules[0]}}": 5}, "bias": "none", "task_type": "CAUSAL_LM"}
            """);
        Write(_merged, "model.safetensors", merged);
        foreach (var file in new[] { "config.json", "tokenizer.json" }) _merged.Copy(Path.Combine(folder, file));
    }

    /// <summary>The PEFT folder.</summary>
    public string Folder => _adapter.Path;

    /// <summary>A model folder that holds base and adapter in one.</summary>
    public string Merged => _merged.Path;

    public void Dispose()
    {
        _adapter.Dispose();
        _merged.Dispose();
    }

    private static (long[] Shape, float[] Values) Read(Checkpoint checkpoint, string name)
    {
        using var scope = NewDisposeScope();
        var shape = checkpoint.Find(name)!.Value.Tensor.Shape;
        var reader = new WeightReader(checkpoint, CPU, ScalarType.Float32, _ => { }, CancellationToken.None);
        return ([.. shape], reader.Read(name, [.. shape]).data<float>().ToArray());
    }

    private static float[] Normal(Random random, long count, double deviation) => [.. Enumerable.Range(0, (int)count).Select(_ =>
        (float)(deviation * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble())))];

    private static void Write(TemporaryFolder folder, string file, Dictionary<string, (long[] Shape, float[] Values)> tensors)
    {
        var (entries, data) = (new List<string>(), new List<byte>());
        foreach (var (name, (shape, values)) in tensors)
        {
            var begin = data.Count;
            data.AddRange(MemoryMarshal.AsBytes<float>(values));
            entries.Add(Safetensors.Entry(name, "F32", string.Join(',', shape), begin, data.Count));
        }
        folder.Write(file, Safetensors.Build("{" + string.Join(',', entries) + "}", [.. data]));
    }
}
