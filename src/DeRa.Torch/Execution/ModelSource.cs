using DeRa.Torch.Adapters;
using DeRa.Torch.Configuration;
using DeRa.Torch.Native;
using static TorchSharp.torch;

namespace DeRa.Torch.Execution;

/// <summary>A model to load, once for all members of the pair that it computes.</summary>
/// <param name="Name">Its name in progress and messages: its members' names.</param>
/// <param name="Folder">Its folder.</param>
/// <param name="Config">Its configuration.</param>
/// <param name="Device">Its device.</param>
/// <param name="Members">The members that it computes.</param>
/// <param name="Adapters">PEFT folders of the adapters over it.</param>
internal sealed record ModelSource(
    string Name, string Folder, ModelConfig Config, Device Device, IReadOnlyList<RunnerMember> Members, IReadOnlyList<string> Adapters)
{
    /// <summary>The name of the reference model among the members.</summary>
    public const string ReferenceName = "reference";

    /// <summary>The requested element types, and what computes.</summary>
    public NumberOptions Numbers { get; init; } = new();

    /// <summary>
    /// Finds which models have to be loaded for a pair: a folder that several members share on one device is loaded once, and an
    /// adapter is loaded with the reference model.
    /// </summary>
    /// <param name="members">Every member's name and folder, the reference's first.</param>
    /// <param name="configs">One a member; an adapter's is the reference's.</param>
    /// <param name="reference">The reference model's device, and its adapters'.</param>
    /// <param name="aligned">The other aligned models' device.</param>
    public static IReadOnlyList<ModelSource> Find(
        IReadOnlyList<AlignedFolder> members, IReadOnlyList<ModelConfig> configs, Device reference, Device aligned)
    {
        var places = members.Select((member, index) =>
        {
            var isAdapter = index > 0 && LoraConfig.IsIn(member.Path);
            var folder = isAdapter ? members[0].Path : member.Path;
            return (member.Name, Folder: folder, Adapter: isAdapter ? member.Path : null, Index: index,
                Device: index == 0 || isAdapter ? reference : aligned);
        });
        return [.. places.GroupBy(place => (RealPath(place.Folder), place.Device.ToString())).Select(group =>
        {
            var adapters = group.Select(place => place.Adapter).OfType<string>().Distinct().ToList();
            var first = group.First();
            return new ModelSource(
                string.Join('+', group.Select(place => place.Name)), first.Folder, configs[first.Index], first.Device,
                [.. group.Select(place => new RunnerMember(place.Index, place.Adapter is null ? null : adapters.IndexOf(place.Adapter)))],
                adapters);
        })];
    }

    private static string RealPath(string folder) =>
        new DirectoryInfo(folder).ResolveLinkTarget(returnFinalTarget: true)?.FullName
        ?? Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
}
