using System.Text.RegularExpressions;
using Mono.Cecil;

namespace DeRa.Architecture.Tests.Rules;

/// <summary>A word that types and members were once named with.</summary>
/// <param name="Old">A pattern that one word of a name in PascalCase or camelCase, or several in a row, must match as a whole.</param>
/// <param name="New">The field's word.</param>
/// <param name="In">Where it is meant: a pattern of the type's full name.</param>
/// <param name="TypesOnly">Members may have it.</param>
internal sealed record OldName(string Old, string New, string In = "", bool TypesOnly = false)
{
    private readonly Regex _pattern = new($"(?<![A-Za-z])({Old})(?![A-Za-z])", RegexOptions.IgnoreCase);

    /// <summary>The old word in a name's words, or null.</summary>
    public string? Find(string words, TypeDefinition type, bool isMember) =>
        !(TypesOnly && isMember) && Regex.IsMatch(type.FullName, In) && _pattern.Match(words) is { Success: true } found
            ? found.Value
            : null;
}

/// <summary>Names that this code gave up for the words of its field, so that they do not come back.</summary>
internal static partial class OldNames
{
    public static IReadOnlyList<OldName> Table { get; } =
    [
        new("doors?", "endpoint, entry point"),
        new("fence[sd]?|fencing", "exception middleware, interceptor, fault isolation"),
        new("wish(es|ed)?", "commands"),
        new("fulfil(s|led|ling|ment)?", "apply"),
        new("locks?|locked", "security", TypesOnly: true),
        new("answer(s|ed|ing)?", "response"),
        new("watch(es|ed|ing)?", "telemetry middleware, file watcher"),
        new("in force", "effective"),
        new("lone", "single active model"),
        new("weigh(s|ed|ing)?", "weighted sum"),
        new("alike", "same device and dtype"),
        new("downs?|ups?", "A, B", In: "Lora|LowRank|Adapter"),
        new("leftovers?", "ignored tensors"),
        new("harmless", "ignored fields"),
        new("cuts?", "boundaries"),
        new("marks?|marked", "sentinels"),
        new("spell(s|ed|ing|ings)?", "format"),
        new("judge[sd]?|judging", "classify"),
        new("told", "reported"),
    ];

    /// <summary>Names that are right all the same, without their namespaces, each with the reason.</summary>
    public static IReadOnlyDictionary<string, string> Exceptions { get; } = new Dictionary<string, string>
    {
        ["CacheLock"] = "a lock: one process at a time writes a repository's files",
        ["JudgeReward"] = "a model that scores as a judge does: LLM-as-a-judge is the field's word",
        ["MarkOrder"] = "Unicode's combining marks",
        ["MarkOrder.IsMark"] = "Unicode's combining marks",
        ["ElfVersionNeeds.MarkWeak"] = "the verb: sets ELF's flag of that name",
        ["ShimLoader.MarkWeak"] = "the verb: sets ELF's flag of that name",
    };

    /// <summary>The types, members and namespaces that have an old word, with it and the field's; exceptions are there, too.</summary>
    public static IEnumerable<(string Name, string Message)> In(IEnumerable<TypeDefinition> types) =>
    [
        .. from type in types.SelectMany(TypeReferences.WithNested)
           where !IsMadeByCompiler(type.Name) && !type.FullName.StartsWith("DeRa.Protos.", StringComparison.Ordinal)
           from name in Names(type)
           from row in Table
           let word = row.Find(Words(name.Short), type, name.IsMember)
           where word is not null
           group $"{name.Full}: '{word}' should be: {row.New}" by (name.Key, name.Full, row) into found
           select (found.Key.Key, found.First()),
    ];

    private static IEnumerable<(string Key, string Full, string Short, bool IsMember)> Names(TypeDefinition type)
    {
        yield return (type.Name, type.FullName, type.Name, false);
        if (type.Namespace.Length > 0) yield return (type.Namespace, "namespace " + type.Namespace, type.Namespace, false);
        IEnumerable<IMemberDefinition> members =
            [.. type.Fields, .. type.Properties, .. type.Events, .. type.Methods.Where(method => !method.IsSpecialName)];
        foreach (var member in members.Where(member => !IsMadeByCompiler(member.Name)))
            yield return ($"{type.Name}.{member.Name}", $"{type.FullName}.{member.Name}", member.Name.Split('.')[^1], true);
    }

    /// <summary>Made by the compiler, or by the generator of log messages.</summary>
    private static bool IsMadeByCompiler(string name) =>
        name.Contains('<', StringComparison.Ordinal) || name.StartsWith("__", StringComparison.Ordinal);

    /// <summary>A name's words with blanks between: "HTTPDoorOf2" → "HTTP Door Of 2".</summary>
    private static string Words(string name) => string.Join(' ', Word().Matches(name));

    [GeneratedRegex("[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")]
    private static partial Regex Word();
}
