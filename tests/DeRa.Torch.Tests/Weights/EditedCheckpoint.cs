using System.Text.Json.Nodes;
using DeRa.Testing;
using DeRa.Torch.Families;
using DeRa.Torch.Layouts;
using DeRa.Torch.Weights;

namespace DeRa.Torch.Tests.Weights;

/// <summary>A copy of a folder whose configuration and tensors a test changes, written as one safetensors file.</summary>
internal sealed class EditedCheckpoint : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _file;

    /// <param name="source">A model's or an adapter's folder.</param>
    /// <param name="file">Its file of weights.</param>
    public EditedCheckpoint(string source, string file = "model.safetensors")
    {
        _file = file;
        _folder.CopyFrom(source);
        using (var checkpoint = file.StartsWith("adapter", StringComparison.Ordinal) ? Checkpoint.OpenAdapter(source)
            : Checkpoint.Open(source))
            foreach (var name in checkpoint.Names)
            {
                var (stored, tensor) = checkpoint.Find(name)!.Value;
                Tensors[name] = (tensor.TypeName, tensor.Shape, stored.Bytes(tensor, 0, (int)tensor.LengthBytes).ToArray());
            }
        foreach (var old in Directory.EnumerateFiles(_folder.Path, "*.safetensors*")) File.Delete(old);
    }

    /// <summary>Type, shape and data by name; <see cref="Write"/> stores them.</summary>
    public Dictionary<string, (string Type, long[] Shape, byte[] Data)> Tensors { get; } = new(StringComparer.Ordinal);

    public string Path => _folder.Path;

    /// <summary>Names, in the class's spelling, of the tensors outside the layers.</summary>
    public static DecoderLayout Layout(string folder) => Architecture.LayoutOf(ModelConfigReader.Load(folder));

    /// <summary>Adds zeros of any shape.</summary>
    public EditedCheckpoint Add(string name, string type, params long[] shape)
    {
        var bits = shape.Aggregate((long)StoredTypes.BitsOf(type)!, (all, size) => all * size);
        Tensors[name] = (type, shape, new byte[bits / 8]);
        return this;
    }

    /// <summary>Takes a prefix off all names, as files have it that were saved without an output layer.</summary>
    public EditedCheckpoint WithoutPrefix(string prefix)
    {
        foreach (var name in Tensors.Keys.Where(name => name.StartsWith(prefix, StringComparison.Ordinal)).ToList())
        {
            Tensors.Remove(name, out var tensor);
            Tensors[name[prefix.Length..]] = tensor;
        }
        return this;
    }

    /// <summary>Changes a field of a JSON file; null removes it.</summary>
    public EditedCheckpoint Set(string field, JsonNode? value, string file = "config.json")
    {
        var path = System.IO.Path.Combine(Path, file);
        var json = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        json.Remove(field);
        if (value is not null) json[field] = value;
        _folder.Write(file, json.ToJsonString());
        return this;
    }

    /// <summary>Stores the tensors.</summary>
    public EditedCheckpoint Write()
    {
        var (entries, data) = (new List<string>(), new List<byte>());
        foreach (var (name, (type, shape, bytes)) in Tensors)
        {
            entries.Add(Safetensors.Entry(name, type, string.Join(',', shape), data.Count, data.Count + bytes.Length));
            data.AddRange(bytes);
        }
        _folder.Write(_file, Safetensors.Build("{" + string.Join(',', entries) + "}", [.. data]));
        return this;
    }

    public void Dispose() => _folder.Dispose();
}
