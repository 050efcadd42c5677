using System.Xml.Linq;
using Mono.Cecil;

namespace DeRa.Architecture.Tests.Rules;

/// <summary>Compares projects with the table: their files and their compiled types.</summary>
internal static class ProjectRules
{
    private const int ExamplesShown = 8;

    private static readonly HashSet<string> Framework =
        [.. Directory.GetFiles(SourceProject.FrameworkFolder, "*.dll").Select(path => Path.GetFileNameWithoutExtension(path))];

    private static readonly Dictionary<string, string> ProjectOfAssembly =
        SourceProject.Source.Values.ToDictionary(project => project.AssemblyName, project => project.Name);

    /// <summary>The projects that a project's file references against its row.</summary>
    public static IEnumerable<string> ForbiddenProjectReferences(ProjectRow row, XDocument project) =>
        project.Descendants("ProjectReference").SelectMany(Included).Select(Path.GetFileNameWithoutExtension)
            .Except(row.References).Select(name => $"{row.Name} may not reference {name}; it may reference {List(row.References)}.");

    /// <summary>The assemblies whose types these types use against the row, with examples.</summary>
    public static IEnumerable<string> ForbiddenUses(ProjectRow row, IEnumerable<TypeDefinition> types) =>
        from type in types
        from used in TypeReferences.Of(type)
        let assembly = (used.Scope as AssemblyNameReference)?.Name
        where assembly is not null && !MayUse(row, assembly, used.Name)
        group $"{type.FullName} → {used.FullName}" by assembly into uses
        select $"{row.Name} may not use {uses.Key}; it may use {List([.. row.References, .. row.Parts, .. row.Types, .. row.Libraries])}:"
            + string.Concat(uses.Take(ExamplesShown).Select(use => "\n    " + use))
            + (uses.Count() > ExamplesShown ? $"\n    and {uses.Count() - ExamplesShown} more" : "");

    /// <summary>Source files outside its folder that a project compiles as its own.</summary>
    public static IEnumerable<string> LinkedSources(XDocument project) =>
        project.Descendants("Compile").SelectMany(Included).Where(path => path.Contains("..", StringComparison.Ordinal));

    private static bool MayUse(ProjectRow row, string assembly, string type) =>
        Framework.Contains(assembly)
        || (ProjectOfAssembly.TryGetValue(assembly, out var project)
            ? row.References.Contains(project) || row.Parts.Contains(project) || row.Types.Contains(type)
            : row.Libraries.Any(library => assembly == library || assembly.StartsWith(library + ".", StringComparison.Ordinal)));

    private static IEnumerable<string> Included(XElement item) =>
        (item.Attribute("Include")?.Value ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries)
            .Select(path => path.Trim().Replace('\\', '/'));

    private static string List(string[] names) => names.Length == 0 ? "nothing of ours" : string.Join(", ", names);
}
