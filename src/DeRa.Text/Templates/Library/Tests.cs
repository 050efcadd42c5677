using DeRa.Text.Templates.Values;

namespace DeRa.Text.Templates.Library;

/// <summary>A test: <c>value is name(arguments)</c>.</summary>
internal delegate bool Test(TemplateRun run, object value, Arguments arguments);

/// <summary>The tests by name.</summary>
internal static class Tests
{
    private static readonly Dictionary<string, Test> All = new(StringComparer.Ordinal)
    {
        ["!="] = With((run, value, other) => !PythonComparison.AreEqual(value, other, run)),
        ["<"] = Ordered("<", order => order < 0),
        ["<="] = Ordered("<=", order => order <= 0),
        ["=="] = With((run, value, other) => PythonComparison.AreEqual(value, other, run)),
        [">"] = Ordered(">", order => order > 0),
        [">="] = Ordered(">=", order => order >= 0),
        ["boolean"] = Of(value => value is bool),
        ["callable"] = Of(value => value is FunctionValue),
        ["defined"] = Of(value => value is not Undefined),
        ["divisibleby"] = With((run, value, other) => PythonComparison.AreEqual(PythonOperators.Modulo(value, other, run), 0L, run)),
        ["eq"] = With((run, value, other) => PythonComparison.AreEqual(value, other, run)),
        ["equalto"] = With((run, value, other) => PythonComparison.AreEqual(value, other, run)),
        ["even"] = (run, value, arguments) => Remainder(run, value, arguments, "even") == 0,
        ["false"] = Of(value => value is false),
        ["filter"] = Of(value => value is string name && Filters.Knows(name)),
        ["float"] = Of(value => value is double),
        ["ge"] = Ordered(">=", order => order >= 0),
        ["greaterthan"] = Ordered(">", order => order > 0),
        ["gt"] = Ordered(">", order => order > 0),
        ["in"] = With((run, value, other) => PythonComparison.Contains(other, value, run)),
        ["integer"] = Of(value => value is long),
        ["iterable"] = Of(value => value is string or ListValue or DictValue or GeneratorValue or Undefined),
        ["le"] = Ordered("<=", order => order <= 0),
        ["lessthan"] = Ordered("<", order => order < 0),
        ["lower"] = OfText(PythonString.IsLower),
        ["lt"] = Ordered("<", order => order < 0),
        ["mapping"] = Of(value => value is DictValue),
        ["ne"] = With((run, value, other) => !PythonComparison.AreEqual(value, other, run)),
        ["none"] = Of(value => value is None),
        ["number"] = Of(value => value is long or double or bool),
        ["odd"] = (run, value, arguments) => Remainder(run, value, arguments, "odd") == 1,
        ["sameas"] = With((run, value, other) => value.GetType() == other.GetType() && (value is not (string or bool or long or double)
            ? ReferenceEquals(value, other) : PythonComparison.AreEqual(value, other, run))),
        ["sequence"] = Of(value => value is string or ListValue or DictValue or Undefined),
        ["string"] = Of(value => value is string),
        ["test"] = Of(value => value is string name && All!.ContainsKey(name)),
        ["true"] = Of(value => value is true),
        ["undefined"] = Of(value => value is Undefined),
        ["upper"] = OfText(PythonString.IsUpper),
    };

    /// <exception cref="ChatTemplateException">There is no test of that name.</exception>
    public static Test Find(string name, int? line = null) => All.TryGetValue(name, out var test) ? test
        : throw new ChatTemplateException($"the test '{name}' is not known here (known: {string.Join(", ", All.Keys)})", line);

    private static Test Of(Predicate<object> holds) => (_, value, arguments) =>
    {
        arguments.BindNone("the test");
        return holds(value);
    };

    private static Test OfText(Predicate<string> holds) => (run, value, arguments) =>
    {
        arguments.BindNone("the test");
        var text = PythonText.Of(value, run);
        run.CountText(text.Length);
        return holds(text);
    };

    private static Test With(Func<TemplateRun, object, object, bool> holds) =>
        (run, value, arguments) => holds(run, value, arguments.Bind("the test", 1, "other")[0]!);

    private static Test Ordered(string sign, Predicate<int> holds) =>
        With((run, value, other) => PythonComparison.Order(value, other, sign, run) is { } order && holds(order));

    private static double Remainder(TemplateRun run, object value, Arguments arguments, string name)
    {
        arguments.BindNone(name);
        PythonNumber.TryRead(PythonOperators.Modulo(value, 2L, run), out var remainder);
        return remainder.Float;
    }
}
