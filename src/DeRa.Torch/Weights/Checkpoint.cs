namespace DeRa.Torch.Weights;

/// <summary>The weights of a Hugging Face model folder, mapped into memory: one safetensors file, or shards and their index.</summary>
internal sealed class Checkpoint : IDisposable
{
    private const string SingleFile = "model.safetensors";
    private const string IndexFile = "model.safetensors.index.json";
    private const string AdapterFile = "adapter_model.safetensors";
    private readonly List<SafetensorsFile> _files;
    private readonly Dictionary<string, (SafetensorsFile File, StoredTensor Tensor)> _tensors = new(StringComparer.Ordinal);

    private Checkpoint(string folder, List<SafetensorsFile> files)
    {
        (Folder, _files) = (folder, files);
        foreach (var file in files)
            foreach (var tensor in file.Tensors)
                if (!_tensors.TryAdd(tensor.Name, (file, tensor)))
                    throw CheckpointException.ForTensor(file.Path, tensor.Name, "is in another shard too");
    }

    /// <summary>The model folder.</summary>
    public string Folder { get; }

    /// <summary>The files that hold them.</summary>
    public IReadOnlyList<SafetensorsFile> Files => _files;

    /// <summary>Where the index of shards is, if there is one.</summary>
    public string IndexPath => Path.Combine(Folder, IndexFile);

    /// <summary>The names of all tensors.</summary>
    public IReadOnlyCollection<string> Names => _tensors.Keys;

    /// <summary>Whether the folder has weights that can be opened.</summary>
    public static bool IsIn(string folder) =>
        File.Exists(Path.Combine(folder, SingleFile)) || File.Exists(Path.Combine(folder, IndexFile));

    /// <summary>Finds and maps a folder's weights; checks their headers, reads no data.</summary>
    /// <exception cref="CheckpointException">There are none, they are pickles, or a header or the index is broken.</exception>
    public static Checkpoint Open(string folder)
    {
        var single = Path.Combine(folder, SingleFile);
        if (File.Exists(single)) return OpenFiles(folder, [single]);
        var index = Path.Combine(folder, IndexFile);
        if (!File.Exists(index)) throw NoWeights(folder);
        var shards = ShardIndex.Read(index);
        var paths = shards.Values.Distinct().Order(StringComparer.Ordinal).Select(name => Path.Combine(folder, name));
        return OpenFiles(folder, paths).MatchIndex(index, shards);
    }

    /// <summary>Whether a PEFT folder has weights that can be opened.</summary>
    public static bool HasAdapter(string folder) => File.Exists(Path.Combine(folder, AdapterFile));

    /// <summary>Finds and maps the weights of a PEFT folder.</summary>
    /// <exception cref="CheckpointException">There are none, they are pickles, or a header is broken.</exception>
    public static Checkpoint OpenAdapter(string folder)
    {
        var path = Path.Combine(folder, AdapterFile);
        return File.Exists(path) ? OpenFiles(folder, [path]) : throw new CheckpointException(folder,
            $"no weights: needs {AdapterFile} (pickles such as adapter_model.bin are not loaded, since they can run any code; "
            + "save the adapter again with PEFT's save_pretrained)");
    }

    /// <summary>Finds a tensor, or null where there is none of that name.</summary>
    public (SafetensorsFile File, StoredTensor Tensor)? Find(string name) =>
        _tensors.TryGetValue(name, out var found) ? found : null;

    /// <summary>Checks that an existing tensor can be read as a weight of that shape.</summary>
    /// <param name="name">The tensor.</param>
    /// <param name="shape">The shape that it must have in the file.</param>
    /// <param name="asker">What asks for that shape, for the message, such as <c>config.json asks for</c>.</param>
    /// <exception cref="CheckpointException">It has another shape or an element type that weights may not have.</exception>
    public void CheckWeight(string name, long[] shape, string asker)
    {
        var (file, stored) = Find(name)!.Value;
        if (!stored.IsWeight)
            throw CheckpointException.ForTensor(file.Path, name,
                $"holds elements of type {stored.TypeName}, which weights may not have (allowed: {StoredTypes.Supported})");
        if (!stored.Shape.AsSpan().SequenceEqual(shape))
            throw CheckpointException.ForTensor(
                file.Path, name, $"has shape [{string.Join(", ", stored.Shape)}]; {asker} [{string.Join(", ", shape)}]");
    }

    /// <summary>Whether two existing tensors have the same type, shape and bytes. Reads both.</summary>
    public bool AreSame(string first, string second)
    {
        var (a, b) = (Find(first)!.Value, Find(second)!.Value);
        return a.Tensor.TypeName == b.Tensor.TypeName && a.Tensor.Shape.AsSpan().SequenceEqual(b.Tensor.Shape) && a.Tensor.IsWeight
            && StoredRows.AreSame(a, b, a.Tensor.ElementCount);
    }

    /// <summary>Unmaps the files.</summary>
    public void Dispose() => _files.ForEach(file => file.Dispose());

    private static Checkpoint OpenFiles(string folder, IEnumerable<string> paths)
    {
        var files = new List<SafetensorsFile>();
        try
        {
            var tensors = 0;
            foreach (var path in paths)
            {
                files.Add(SafetensorsFile.Open(path));
                tensors += files[^1].Tensors.Count;
                if (tensors > SafetensorsHeader.MaxTensors) throw SafetensorsHeader.TooMany(folder);
            }
            return new Checkpoint(folder, files);
        }
        catch
        {
            files.ForEach(file => file.Dispose());
            throw;
        }
    }

    private Checkpoint MatchIndex(string index, IReadOnlyDictionary<string, string> shards)
    {
        try
        {
            foreach (var (name, shard) in shards)
                if (Find(name) is not { } found || Path.GetFileName(found.File.Path) != shard)
                    throw CheckpointException.ForTensor(index, name, $"is not in '{shard}', where the index says it is");
            return this;
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    private static CheckpointException NoWeights(string folder)
    {
        if (!Directory.Exists(folder)) return new(folder, "no such folder; a Hugging Face model folder is needed");
        var pickle = Directory.EnumerateFiles(folder).FirstOrDefault(IsPickle);
        return pickle is null
            ? new(folder, $"no weights: needs {SingleFile}, or shards with {IndexFile}")
            : new(pickle, "pickle weights are not loaded, since they can run any code. If you trust them, convert them: "
                + "python -c \"from transformers import AutoModelForCausalLM as M; "
                + "M.from_pretrained('FOLDER').save_pretrained('NEW_FOLDER', safe_serialization=True)\"");
    }

    private static bool IsPickle(string path) =>
        Path.GetExtension(path) is ".bin" or ".pt" or ".pth" or ".pkl" or ".ckpt" && Path.GetFileName(path) != "training_args.bin";
}
