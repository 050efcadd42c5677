namespace DeRa.Text.Templates.Values;

/// <summary>What Python calls the type of a value, for errors.</summary>
internal static class PythonType
{
    public static string Name(object value) => value switch
    {
        None => "NoneType",
        Undefined => "Undefined",
        bool => "bool",
        long => "int",
        double => "float",
        string => "str",
        ListValue { IsTuple: true } => "tuple",
        ListValue => "list",
        DictValue => "dict",
        GeneratorValue => "generator",
        NamespaceValue => "Namespace",
        LoopValue => "LoopContext",
        FunctionValue => "function",
        _ => throw new ArgumentOutOfRangeException(nameof(value), value.GetType().Name, "no value of a template"),
    };
}
