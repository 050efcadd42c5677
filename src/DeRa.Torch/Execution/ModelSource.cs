using DeRa.Torch.Configuration;
using DeRa.Torch.Native;
using static TorchSharp.torch;

namespace DeRa.Torch.Execution;

/// <summary>A model to load, once, whatever number of the pair's members it computes.</summary>
/// <param name="Name">What it is called in progress and messages: its members' names.</param>
/// <param name="Folder">Its folder.</param>
/// <param name="Config">Its configuration.</param>
/// <param name="Device">Where it goes.</param>
/// <param name="Members">The members that it computes.</param>
/// <param name="Adapters">PEFT folders of the adapters over it.</param>
internal sealed record ModelSource(
    string Name, string Folder, ModelConfig Config, Device Device, IReadOnlyList<RunnerMember> Members, IReadOnlyList<string> Adapters)
{
    /// <summary>In which type it lies and computes.</summary>
    public DTypeOption DType { get; init; } = DTypeOption.Auto;
}
