using System.Reflection;
using System.Xml.Linq;
using DeRa.Testing;
using Mono.Cecil;

namespace DeRa.Architecture.Tests.Rules;

/// <summary>A project under src/ or tests/: its file, and the assembly that was built from it.</summary>
internal sealed class SourceProject
{
    private static readonly string Configuration = typeof(SourceProject).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(metadata => metadata.Key == "Configuration").Value!;

    private readonly Lazy<ModuleDefinition> _module;

    private SourceProject(string path)
    {
        Path = path;
        Name = System.IO.Path.GetFileNameWithoutExtension(path);
        Document = XDocument.Load(path);
        AssemblyName = Document.Descendants("AssemblyName").SingleOrDefault()?.Value ?? Name;
        _module = new(() => Read(System.IO.Path.Combine(Folder, "bin", Configuration, "net10.0", AssemblyName + ".dll")));
    }

    /// <summary>Where .NET's own assemblies are.</summary>
    public static string FrameworkFolder { get; } = System.IO.Path.GetDirectoryName(typeof(object).Assembly.Location)!;

    /// <summary>The projects under src/, by name.</summary>
    public static IReadOnlyDictionary<string, SourceProject> Source { get; } = Find("src");

    /// <summary>The projects under tests/, by name.</summary>
    public static IReadOnlyDictionary<string, SourceProject> Test { get; } = Find("tests");

    public string Name { get; }

    public string Path { get; }

    public string Folder => System.IO.Path.GetDirectoryName(Path)!;

    public string AssemblyName { get; }

    public XDocument Document { get; }

    public ModuleDefinition Module => _module.Value;

    /// <summary>Opens a built assembly, with all that it may refer to beside it.</summary>
    public static ModuleDefinition Read(string path)
    {
        var resolver = new DefaultAssemblyResolver();
        resolver.AddSearchDirectory(System.IO.Path.GetDirectoryName(path));
        // A library's own bin lacks the packages that it uses; a program's has them.
        var output = System.IO.Path.GetRelativePath(SharedData.ProjectRoot, path).Split('/', '\\')[2..^1];
        foreach (var project in Directory.GetDirectories(System.IO.Path.Combine(SharedData.ProjectRoot, "src")))
            resolver.AddSearchDirectory(System.IO.Path.Combine([project, .. output]));
        resolver.AddSearchDirectory(FrameworkFolder);
        return ModuleDefinition.ReadModule(path, new ReaderParameters { AssemblyResolver = resolver });
    }

    private static Dictionary<string, SourceProject> Find(string area) =>
        Directory.GetDirectories(System.IO.Path.Combine(SharedData.ProjectRoot, area))
            .SelectMany(folder => Directory.GetFiles(folder, "*.csproj"))
            .Select(path => new SourceProject(path)).ToDictionary(project => project.Name);
}
