using Mono.Cecil;

namespace DeRa.Architecture.Tests.Rules;

/// <summary>Which namespaces of one assembly refer to which, and the cycles among them.</summary>
internal sealed class NamespaceGraph
{
    private const int ExamplesShown = 4;

    private readonly Dictionary<(string From, string To), SortedSet<string>> _edges = [];

    /// <param name="types">Top-level types of one module.</param>
    public NamespaceGraph(IEnumerable<TypeDefinition> types)
    {
        foreach (var type in types)
            foreach (var used in TypeReferences.Of(type).Where(used => used.Scope == type.Scope && used.Namespace.Length > 0))
                if (used.Namespace != type.Namespace) Add(type, used);
    }

    /// <summary>The sets of namespaces that all reach one another, each described for whoever has to break the cycle.</summary>
    public IReadOnlyList<string> Cycles()
    {
        var reached = _edges.Keys.Select(edge => edge.From).Distinct().ToDictionary(from => from, Reached);
        return [.. reached.Keys.Where(from => reached[from].Contains(from))
            .Select(from => reached[from].Where(to => reached.TryGetValue(to, out var back) && back.Contains(from)).Order().ToList())
            .DistinctBy(cycle => cycle[0]).Select(Describe)];
    }

    private void Add(TypeDefinition type, TypeReference used)
    {
        if (!_edges.TryGetValue((type.Namespace, used.Namespace), out var examples))
            _edges.Add((type.Namespace, used.Namespace), examples = []);
        examples.Add($"{type.Name} → {used.Name}");
    }

    private HashSet<string> Reached(string start)
    {
        var reached = new HashSet<string>();
        var open = new Stack<string>([start]);
        while (open.TryPop(out var from))
            foreach (var (_, to) in _edges.Keys.Where(edge => edge.From == from))
                if (reached.Add(to)) open.Push(to);
        return reached;
    }

    private string Describe(IReadOnlyList<string> cycle)
    {
        var references = _edges.Where(edge => cycle.Contains(edge.Key.From) && cycle.Contains(edge.Key.To))
            .OrderBy(edge => edge.Value.Count).ThenBy(edge => edge.Key).Select(edge => Line(edge.Key.From, edge.Key.To, edge.Value));
        return $"These namespaces form a cycle: {string.Join(", ", cycle)}.\n"
            + "Move types or reverse references until none is left. References between them, fewest first:\n"
            + string.Join('\n', references);
    }

    private static string Line(string from, string to, SortedSet<string> examples)
    {
        var more = examples.Count > ExamplesShown ? $", and {examples.Count - ExamplesShown} more" : "";
        return $"    {from} → {to}: {string.Join(", ", examples.Take(ExamplesShown))}{more}";
    }
}
