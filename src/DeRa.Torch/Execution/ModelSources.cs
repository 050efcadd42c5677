using DeRa.Torch.Models;
using static TorchSharp.torch;

namespace DeRa.Torch.Execution;

/// <summary>Finds which models have to be loaded for a pair: a folder that serves several members on one device is loaded once.</summary>
internal static class ModelSources
{
    /// <summary>The name of the reference model among the members.</summary>
    public const string Reference = "reference";

    /// <summary>Groups the members.</summary>
    /// <param name="options">The pair's folders.</param>
    /// <param name="configs">One a member: the reference's, then the aligned models'.</param>
    /// <param name="reference">The reference model's device.</param>
    /// <param name="aligned">The aligned models' device.</param>
    public static IReadOnlyList<ModelSource> Find(
        PairOptions options, IReadOnlyList<ModelConfig> configs, Device reference, Device aligned)
    {
        var members = Members(options).Select((member, i) => (member.Name, member.Path, Config: configs[i], Index: i));
        return [.. members
            .GroupBy(member => (RealPath(member.Path), (member.Index == 0 ? reference : aligned).ToString()))
            .Select(group => new ModelSource(
                string.Join('+', group.Select(member => member.Name)), group.First().Path, group.First().Config,
                group.First().Index == 0 ? reference : aligned, [.. group.Select(member => new RunnerMember(member.Index))]))];
    }

    /// <summary>Every member's name and folder, the reference's first.</summary>
    public static IEnumerable<AlignedFolder> Members(PairOptions options) =>
        options.Aligned.Prepend(new AlignedFolder(Reference, options.ReferencePath));

    private static string RealPath(string folder) =>
        new DirectoryInfo(folder).ResolveLinkTarget(returnFinalTarget: true)?.FullName
        ?? Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
}
