using DeRa.Torch.Families;
using DeRa.Torch.Weights;

namespace DeRa.Torch.Adapters;

/// <summary>What a PEFT folder says of itself, without its weights being read and without libtorch.</summary>
public sealed record LoraInspection
{
    /// <summary>r of most modules; 0 where the configuration cannot be used.</summary>
    public int Rank { get; private init; }

    /// <summary>α of most modules.</summary>
    public double Alpha { get; private init; }

    /// <summary>Whether α is divided by √r instead of r.</summary>
    public bool IsRankStabilized { get; private init; }

    /// <summary>What it was trained on, as the folder says; null where it does not.</summary>
    public string? BaseModel { get; private init; }

    /// <summary>Last parts of the names of the modules that it adapts.</summary>
    public IReadOnlyList<string> Modules { get; private init; } = [];

    /// <summary>Elements of all its factors.</summary>
    public long ParameterCount { get; private init; }

    /// <summary>Why it cannot be served over that model, as loading it would say; null where it can.</summary>
    public string? Problem { get; private init; }

    /// <summary>Whether a folder holds an adapter instead of a whole model.</summary>
    public static bool IsIn(string folder) => LoraConfig.IsIn(folder);

    /// <summary>
    /// Reads configuration and header, and those weights that the base model holds too. What is wrong becomes a problem and is not
    /// thrown.
    /// </summary>
    /// <param name="folder">A PEFT folder.</param>
    /// <param name="baseModel">The model that it is to be served over; null = unknown, then only the folder itself is checked.</param>
    /// <param name="needsWeights">False where it is no problem that there are none.</param>
    public static LoraInspection Read(string folder, CheckpointInspection? baseModel, bool needsWeights = true)
    {
        try
        {
            var config = LoraConfig.Load(folder);
            var found = new LoraInspection
            {
                Rank = config.Rank,
                Alpha = config.Alpha,
                IsRankStabilized = config.IsRankStabilized,
                BaseModel = config.BaseModel,
            };
            return needsWeights || Checkpoint.HasAdapter(folder) ? AddWeights(found, folder, baseModel) : found;
        }
        catch (CheckpointException problem)
        {
            return new LoraInspection { Problem = problem.Message };
        }
    }

    private static LoraInspection AddWeights(LoraInspection found, string folder, CheckpointInspection? baseModel)
    {
        try
        {
            using var checkpoint = Checkpoint.OpenAdapter(folder);
            found = found with
            {
                ParameterCount = checkpoint.Names.Where(LoraTensors.IsFactor).Sum(name => checkpoint.Find(name)!.Value.Tensor.ElementCount),
                Modules = [.. checkpoint.Names.Select(LoraTensors.ModuleOf).OfType<string>().Distinct().Order(StringComparer.Ordinal)],
            };
            if (baseModel is { Config: { } config })
            {
                using var weights = baseModel.StoredElements is null ? null : Checkpoint.Open(baseModel.Folder);
                LoraAdapter.Open(folder, config, weights).Dispose();
            }
            return found;
        }
        catch (CheckpointException problem)
        {
            return found with { Problem = problem.Message };
        }
    }
}
