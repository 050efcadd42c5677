using DeRa.Torch.Layouts;
using DeRa.Torch.Weights;

namespace DeRa.Torch.Adapters;

/// <summary>The tensors that an adapter's configuration asks for, by PEFT's names, and the check that its file holds them.</summary>
/// <param name="config">The adapter's configuration.</param>
/// <param name="layout">
/// The base model's layout with its prefix: PEFT uses the names of Hugging Face's class, whatever the base checkpoint leaves out.
/// </param>
internal sealed class LoraTensors(LoraConfig config, DecoderLayout layout)
{
    private const int NamesShown = 5;

    /// <summary>A, [rank, inputs], of a module.</summary>
    public static string A(string module) => $"base_model.model.{module}.lora_A.weight";

    /// <summary>B, [outputs, rank], of a module.</summary>
    public static string B(string module) => $"base_model.model.{module}.lora_B.weight";

    /// <summary>Whether a tensor is A or B of a module.</summary>
    public static bool IsFactor(string tensor) => ModuleOf(tensor) is not null;

    /// <summary>The last part of the name of the module that a tensor is a factor of; null where it is none.</summary>
    public static string? ModuleOf(string tensor) => tensor.Split('.') is [.., var module, "lora_A" or "lora_B", "weight"] ? module : null;

    /// <summary>Checks that the file holds these tensors in these shapes, and otherwise only copies of the base model's weights.</summary>
    /// <param name="checkpoint">The adapter's file.</param>
    /// <param name="layerCount">Layers of the base model.</param>
    /// <param name="copies">Recognises and checks copies of base weights.</param>
    /// <exception cref="CheckpointException">
    /// No module is adapted, or one outside the layers is; a tensor is missing, has another shape, differs from the base model's
    /// copy, or is unexpected.
    /// </exception>
    public void Check(Checkpoint checkpoint, int layerCount, BaseCopies copies)
    {
        foreach (var module in new[] { layout.OutputModule, layout.Embedding[..^".weight".Length] })
            if (config.Targets.ContainsOutsideLayers(module))
                throw new CheckpointException(checkpoint.Folder,
                    $"'target_modules' asks to adapt '{module}'; only the linear modules of the layers are supported");
        var expected = Expected(layerCount).ToDictionary(tensor => tensor.Name, tensor => tensor.Shape);
        if (expected.Count == 0)
            throw new CheckpointException(checkpoint.Folder, "'target_modules' matches none of the base model's linear modules: "
                + string.Join(", ", layout.Layer.Linears.SelectMany(linear => linear.Parts).Select(part => part.Module)));
        var missing = expected.Keys.Where(name => checkpoint.Find(name) is null).ToList();
        if (missing.Count > 0) throw new CheckpointException(checkpoint.Folder, $"tensors are missing: {Shown(missing)}");
        var others = checkpoint.Names.Where(name => !expected.ContainsKey(name)).ToList();
        if (config.SavedModules.FirstOrDefault(module => !others.Exists(name => BaseCopies.IsOf(name, module))) is { } unsaved)
            throw new CheckpointException(checkpoint.Folder, $"'modules_to_save' names '{unsaved}', but the weights hold no such module");
        var extra = others.Where(name => !copies.Contains(name)).ToList();
        if (extra.Count > 0)
            throw new CheckpointException(checkpoint.Folder,
                $"tensors that {LoraConfig.FileName} and the base model do not account for: {Shown(extra)}");
        foreach (var (name, shape) in expected)
            checkpoint.CheckWeight(name, shape, $"the base model and {LoraConfig.FileName} ask for");
        foreach (var name in others) copies.Check(checkpoint, name);
    }

    private IEnumerable<(string Name, long[] Shape)> Expected(int layerCount)
    {
        for (var layer = 0; layer < layerCount; layer++)
            foreach (var linear in layout.Layer.Linears)
                foreach (var part in linear.Parts)
                {
                    if (!config.Targets.Contains(layout, layer, part.Module)) continue;
                    var module = layout.InLayer(layer, part.Module);
                    yield return (A(module), [config.RankOf(module), linear.Inputs]);
                    yield return (B(module), [part.Outputs, config.RankOf(module)]);
                }
    }

    private static string Shown(List<string> names) =>
        string.Join(", ", names.Take(NamesShown)) + (names.Count > NamesShown ? $" and {names.Count - NamesShown} more" : "");
}
