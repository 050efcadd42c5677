using DeRa.Torch.Configuration;
using DeRa.Torch.Families;
using DeRa.Torch.Layouts;
using DeRa.Torch.Native;
using DeRa.Torch.Weights;

namespace DeRa.Torch.Gguf;

/// <summary>
/// A checkpoint that can be written as a GGUF file for llama.cpp. Needs no libtorch; of the weights one piece is in memory at a time.
/// Used by one thread.
/// </summary>
public sealed class GgufExport : IDisposable
{
    private readonly Checkpoint _checkpoint;
    private readonly GgufArchitecture _architecture;
    private readonly GgufElementType _type;
    private readonly GgufFile _file;

    private GgufExport(Checkpoint checkpoint, ModelConfig config, DTypeOption type)
    {
        _checkpoint = checkpoint;
        var layout = Architecture.LayoutOf(config).As(checkpoint);
        config = DecoderTensors.WithStoredOutput(config, checkpoint, layout);
        DecoderTensors.Check(checkpoint, config, layout);
        _architecture = new GgufArchitecture(config, checkpoint.Folder);
        Notes = _architecture.Check();
        Config = config;
        var elements = type.Resolve(config.ElementType ?? checkpoint.Find(layout.Embedding)!.Value.Tensor.Type);
        ElementType = elements.ToString().ToLowerInvariant();
        _type = GgufElementTypes.Of(elements);
        _file = new GgufFile(new GgufTensors(config, layout, _type).All());
    }

    /// <summary>Its configuration.</summary>
    public ModelConfig Config { get; }

    /// <summary>Type of the matrices in the file, such as bfloat16.</summary>
    public string ElementType { get; }

    /// <summary>What llama.cpp will compute differently, a sentence each; empty where nothing is known.</summary>
    public IReadOnlyList<string> Notes { get; }

    /// <summary>Bytes of the tensors' data.</summary>
    public long DataBytes => _file.DataBytes;

    /// <summary>Reads the configuration and the headers of the weights.</summary>
    /// <param name="folder">A folder in Hugging Face layout.</param>
    /// <param name="type">Type of the matrices; auto is the one that the model is served in.</param>
    /// <exception cref="CheckpointException">The model cannot be served, or llama.cpp would compute something else.</exception>
    public static GgufExport Open(string folder, DTypeOption type)
    {
        ArgumentNullException.ThrowIfNull(type);
        var config = ModelConfigReader.Load(folder);
        var checkpoint = Checkpoint.Open(folder);
        try
        {
            return new GgufExport(checkpoint, config, type);
        }
        catch
        {
            checkpoint.Dispose();
            throw;
        }
    }

    /// <summary>Adds the keys that describe the model. Those of the tokenizer are the caller's.</summary>
    /// <param name="metadata">To which they are added.</param>
    /// <param name="name">The model's name.</param>
    public void Describe(GgufMetadata metadata, string name) => _architecture.AddTo(metadata, name, _type);

    /// <summary>Writes the file.</summary>
    /// <param name="stream">Where, from its beginning.</param>
    /// <param name="metadata">All keys.</param>
    /// <param name="onWritten">Receives the bytes of data written since the last call.</param>
    /// <param name="cancellation">Stops between two pieces.</param>
    /// <exception cref="CheckpointException">An element is too large for the file's type.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public void Write(Stream stream, GgufMetadata metadata, Action<long> onWritten, CancellationToken cancellation) =>
        _file.Write(stream, metadata, _checkpoint, onWritten, cancellation);

    /// <inheritdoc/>
    public void Dispose() => _checkpoint.Dispose();
}
