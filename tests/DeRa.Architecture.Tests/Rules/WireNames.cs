using System.Text.RegularExpressions;
using DeRa.Testing;
using Mono.Cecil;

namespace DeRa.Architecture.Tests.Rules;

/// <summary>Names of the wire and of the command line in string literals.</summary>
internal static partial class WireNames
{
    /// <summary>The fields' names in the protos; HTTP has the same and some more.</summary>
    private static readonly HashSet<string> Fields =
        [.. SourceFiles.Of(Path.Combine(SharedData.ProjectRoot, "protos"), "*.proto")
            .SelectMany(path => ProtoField().Matches(File.ReadAllText(path))).Select(field => field.Groups[1].Value)];

    /// <summary>The literals of these types that are a field's name, or hold a word in snake_case or an option.</summary>
    public static IEnumerable<string> In(IEnumerable<TypeDefinition> types) =>
        from type in types
        from literal in type.WithNested().SelectMany(Literals).Distinct()
        where Fields.Contains(literal) || SnakeCase().IsMatch(literal) || Option().IsMatch(literal)
        select $"{type.FullName}: \"{literal}\"";

    private static IEnumerable<string> Literals(TypeDefinition type) =>
        type.Methods.Where(method => method.HasBody)
            .SelectMany(method => method.Body.Instructions).Select(instruction => instruction.Operand)
            .Concat(type.Fields.Select(field => field.Constant)).OfType<string>();

    [GeneratedRegex(@"^\s*(?:optional |repeated )?(?:map<[^>]*>|[\w.]+) (\w+) = \d+", RegexOptions.Multiline)]
    private static partial Regex ProtoField();

    [GeneratedRegex("(?<![A-Za-z0-9_])[a-z][a-z0-9]*(_[a-z0-9]+)+(?![A-Za-z0-9_])")]
    private static partial Regex SnakeCase();

    [GeneratedRegex(@"(?<![\w-])--[a-z]")]
    private static partial Regex Option();
}
