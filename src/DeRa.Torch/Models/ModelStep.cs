using DeRa.Torch.Operators;
using static TorchSharp.torch;

namespace DeRa.Torch.Models;

/// <summary>
/// The rows that one model runs in a step, as index tensors on its device: built once, read by every layer, and shared by models of
/// the same device and dtype that run the same rows. Its tensors belong to the dispose scope in which it is built.
/// </summary>
internal sealed class ModelStep
{
    private readonly List<(int Window, AttentionPlan Plan)> _plans;
    private readonly int _longestTokens;

    /// <summary>Lays out rows for one model, or for several of the same device and dtype.</summary>
    /// <param name="rows">At least one row; no two of one sequence and one part of the pool.</param>
    /// <param name="windows">The windows of the models' layers: tokens a layer sees, null = all. They may repeat.</param>
    /// <param name="blockTokens">Tokens a cache block holds.</param>
    /// <param name="device">The models' device.</param>
    /// <param name="type">The type of the models' activations.</param>
    /// <param name="layout">Memory to lay them out in, until the next step is laid out in it; null = memory of its own.</param>
    public ModelStep(IReadOnlyList<ModelRow> rows, IReadOnlyList<int?> windows, int blockTokens, Device device, ScalarType type,
        StepLayout? layout = null)
    {
        layout ??= new StepLayout();
        layout.Lay(rows, blockTokens);
        (Tokens, Positions, WriteSlots) = (OnDevice(layout.Tokens), OnDevice(layout.Positions), OnDevice(layout.Slots));
        OutputRows = OnDevice(layout.Outputs);
        var adapterTokens = new Tensor?[layout.AdapterCount];
        for (var adapter = 0; adapter < adapterTokens.Length; adapter++)
            adapterTokens[adapter] = layout.AdapterTokens(adapter) is { Length: > 0 } tokens ? OnDevice(tokens) : null;
        AdapterTokens = adapterTokens;
        for (var i = 0; i < rows.Count; i++) _longestTokens = Math.Max(_longestTokens, rows[i].End);
        var planner = new AttentionPlanner(layout, blockTokens, device, type);
        _plans = new(1);
        for (var i = 0; i < windows.Count; i++)
            if (Find(EffectiveWindow(windows[i])) is null)
                _plans.Add((EffectiveWindow(windows[i]), planner.Build(EffectiveWindow(windows[i]))));

        Tensor OnDevice(ReadOnlySpan<long> values) => DeviceTensor.Of(values, device);
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

    /// <summary>What each token may attend to in layers with that window, which is one of those that the step was built for.</summary>
    public AttentionPlan PlanFor(int? windowTokens) => Find(EffectiveWindow(windowTokens))!;

    /// <summary>A window as long as the longest context hides nothing, so layers with and without it share a plan.</summary>
    private int EffectiveWindow(int? windowTokens) => Math.Min(windowTokens ?? _longestTokens, _longestTokens);

    private AttentionPlan? Find(int window)
    {
        foreach (var (own, plan) in _plans)
            if (own == window) return plan;
        return null;
    }
}
