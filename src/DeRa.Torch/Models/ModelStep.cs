using DeRa.Engine.Scheduling;
using DeRa.Torch.Caching;
using DeRa.Torch.Operators;
using static TorchSharp.torch;

namespace DeRa.Torch.Models;

/// <summary>
/// The rows of a step that one model runs, as index tensors on its device: built once, read by every layer, and shared by models of
/// the same device and dtype that run the same rows. Rows of one token come first, then those of several. Its tensors belong to the
/// dispose scope in which it is built.
/// </summary>
internal sealed class ModelStep
{
    private readonly Dictionary<int, AttentionPlan> _plans;
    private readonly int _longestTokens;

    /// <summary>Lays out rows for one model, or for several of the same device and dtype.</summary>
    /// <param name="rows">At least one row; of each sequence at most one.</param>
    /// <param name="windows">The windows of the models' layers: tokens a layer sees, null = all.</param>
    /// <param name="blockTokens">Tokens a cache block holds.</param>
    /// <param name="device">The models' device.</param>
    /// <param name="type">The models' element type.</param>
    /// <param name="adapters">Which of the model's adapters each row adds, null = none; omitted = none in any row.</param>
    public ModelStep(IReadOnlyList<StepRow> rows, IEnumerable<int?> windows, int blockTokens, Device device, ScalarType type,
        IReadOnlyList<int?>? adapters = null)
    {
        var decodeRows = rows.Where(row => row.Tokens.Length == 1).ToList();
        var chunkRows = rows.Where(row => row.Tokens.Length > 1).ToList();
        var slots = new CacheSlots(blockTokens);
        var layout = new StepLayout([.. decodeRows, .. chunkRows], slots);
        (Tokens, Positions, WriteSlots) = (OnDevice(layout.Tokens), OnDevice(layout.Positions), OnDevice(layout.Slots));
        OutputRows = OnDevice(layout.OutputIndices(rows));
        AdapterTokens = [.. layout.AdapterTokens(rows, adapters ?? []).Select(tokens => tokens.Length == 0 ? null : OnDevice(tokens))];
        _longestTokens = rows.Max(row => row.Position + row.Tokens.Length);
        var planner = new AttentionPlanner(decodeRows, chunkRows, slots, device, type);
        _plans = windows.Select(EffectiveWindow).Distinct().ToDictionary(window => window, planner.Build);

        Tensor OnDevice(long[] values) => tensor(values, dtype: ScalarType.Int64, device: device);
    }

    /// <summary>[tokens], int64: token ids.</summary>
    public Tensor Tokens { get; }

    /// <summary>[tokens], int64: their positions.</summary>
    public Tensor Positions { get; }

    /// <summary>[tokens], int64: the cache slots that take their keys and values.</summary>
    public Tensor WriteSlots { get; }

    /// <summary>[outputs], int64: the tokens after which logits are wanted, row after row in the order they were given.</summary>
    public Tensor OutputRows { get; }

    /// <summary>For each adapter, [its tokens], int64; null where no row adds it.</summary>
    public IReadOnlyList<Tensor?> AdapterTokens { get; }

    /// <summary>
    /// How many of a row's tokens need logits: the first of them one for each scored token, then the last where a token is sampled.
    /// </summary>
    public static int OutputCount(StepRow row) => row.ScoredTokens.Length + (SamplesApart(row) ? 1 : 0);

    /// <summary>Whether the token that sampling follows is not among the scored ones.</summary>
    public static bool SamplesApart(StepRow row) => row.Sampling is not null && row.ScoredTokens.Length < row.Tokens.Length;

    /// <summary>What each token may attend to in layers with that window, which is one of those that the step was built for.</summary>
    public AttentionPlan PlanFor(int? windowTokens) => _plans[EffectiveWindow(windowTokens)];

    /// <summary>A window as long as the longest context hides nothing, so layers with and without it share a plan.</summary>
    private int EffectiveWindow(int? windowTokens) => Math.Min(windowTokens ?? _longestTokens, _longestTokens);
}
