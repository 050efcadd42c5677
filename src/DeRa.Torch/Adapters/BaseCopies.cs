using DeRa.Torch.Configuration;
using DeRa.Torch.Families;
using DeRa.Torch.Layouts;
using DeRa.Torch.Weights;

namespace DeRa.Torch.Adapters;

/// <summary>
/// Copies of base-model weights in an adapter's file: PEFT stores the embeddings and the output layer where a trainer has resized
/// them, for instance for a padding token, and whatever <c>modules_to_save</c> names. Unchanged copies are ignored; changed ones
/// are refused, since they would make it another base model.
/// </summary>
/// <param name="model">The base model's configuration.</param>
/// <param name="weights">Its weights; null = not available, and nothing can be compared.</param>
internal sealed class BaseCopies(ModelConfig model, Checkpoint? weights)
{
    private const string Prefix = "base_model.model.";

    /// <summary>What PEFT's wrappers insert between a module's name and its parameter's.</summary>
    private static readonly string[] Wrappers = ["modules_to_save", "original_module", "base_layer"];

    private readonly DecoderLayout _layout = Architecture.LayoutOf(model);

    private readonly Dictionary<string, long[]> _shapes = DecoderTensors
        .Expected(model with { TiedEmbeddings = false }, Architecture.LayoutOf(model))
        .ToDictionary(tensor => tensor.Name, tensor => tensor.Shape);

    /// <summary>Whether a tensor of an adapter has the name of one of the base model's.</summary>
    public bool Contains(string name) => BaseName(name) is { } own && _shapes.ContainsKey(own);

    /// <summary>Whether a tensor of an adapter belongs to a module of that name, such as <c>lm_head</c>.</summary>
    public static bool IsOf(string name, string module) =>
        BaseName(name) is { } own
        && ("." + own[..Math.Max(0, own.LastIndexOf('.'))]).EndsWith("." + module, StringComparison.Ordinal);

    /// <summary>Checks that a tensor which the base model has too equals the base model's.</summary>
    /// <exception cref="CheckpointException">It does not.</exception>
    public void Check(Checkpoint adapter, string name)
    {
        var own = BaseName(name)!;
        var (copy, original) = (adapter.Find(name)!.Value, weights is null ? null : Original(own, weights));
        var shape = _shapes[own];
        // Resizing adds or drops rows at the end of the vocabulary; rows that the base model lacks belong to tokens that it cannot take.
        var isByToken = own == _layout.Embedding || own == _layout.Output;
        adapter.CheckWeight(
            name, isByToken && copy.Tensor.Shape is [var rows, _] ? [rows, .. shape[1..]] : shape, "the base model asks for");
        if (original is not { } found) return;
        if (!found.Tensor.IsWeight || !StoredRows.AreSame(found, copy, Math.Min(found.Tensor.ElementCount, copy.Tensor.ElementCount)))
            throw CheckpointException.ForTensor(copy.File.Path, name, $"differs from the base model's '{own}', which it would replace; "
                + "only low-rank changes of the layers are supported: merge such an adapter into its base model (PEFT: merge_and_unload)");
    }

    /// <summary>The base model's tensor; for a tied output layer that is not stored, the embedding.</summary>
    private (SafetensorsFile File, StoredTensor Tensor)? Original(string name, Checkpoint stored)
    {
        var layout = _layout.As(stored);
        var own = layout.IsBare && name.StartsWith(layout.Prefix, StringComparison.Ordinal) ? name[layout.Prefix.Length..] : name;
        return stored.Find(own) ?? (name == layout.Output ? stored.Find(layout.Embedding) : null);
    }

    private static string? BaseName(string name) => name.StartsWith(Prefix, StringComparison.Ordinal)
        ? string.Join('.', name[Prefix.Length..].Split('.').Where(part => !Wrappers.Contains(part)))
        : null;
}
