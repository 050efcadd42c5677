using DeRa.Testing;
using DeRa.Torch.Gguf;
using DeRa.Torch.Native;
using DeRa.Torch.Tests.Weights;

namespace DeRa.Torch.Tests.Gguf;

/// <summary>A checkpoint written as GGUF and read back, beside its own tensors.</summary>
internal sealed class ExportedModel : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public ExportedModel(EditedCheckpoint checkpoint, string type = "float32")
    {
        Stored = checkpoint.Tensors;
        var path = System.IO.Path.Combine(_folder.Path, "model.gguf");
        using (var export = GgufExport.Open(checkpoint.Path, DTypeOption.Parse(type)))
        using (var metadata = new GgufMetadata())
        {
            export.Describe(metadata, "golden");
            Notes = export.Notes;
            using (var file = System.IO.File.Create(path)) export.Write(file, metadata, bytes => Written += bytes, CancellationToken.None);
            DataBytes = export.DataBytes;
        }
        File = new GgufReader(path);
    }

    public GgufReader File { get; }

    public IReadOnlyList<string> Notes { get; }

    public long Written { get; private set; }

    public long DataBytes { get; }

    private Dictionary<string, (string Type, long[] Shape, byte[] Data)> Stored { get; }

    /// <summary>A checkpoint under tests/DeRa.Testing/Golden, with what a test changes.</summary>
    public static EditedCheckpoint Golden(string name, Action<EditedCheckpoint>? change = null)
    {
        var checkpoint = new EditedCheckpoint(GoldenData.Committed(name));
        change?.Invoke(checkpoint);
        return checkpoint.Write();
    }

    /// <summary>A stored tensor's elements.</summary>
    public float[] StoredFloats(string name)
    {
        var (type, shape, data) = Stored[name];
        return new GgufTensorData(shape, type switch { "F32" => 0, "F16" => 1, _ => 30u }, data).Floats();
    }

    public float[] Floats(string name) => File.Tensors[name].Floats();

    public void Dispose() => _folder.Dispose();
}
