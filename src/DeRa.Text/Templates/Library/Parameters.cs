using DeRa.Text.Templates.Values;

namespace DeRa.Text.Templates.Library;

/// <summary>Reads arguments of built-in functions as the types that these need.</summary>
internal static class Parameters
{
    public static long Integer(object value, string what) => value switch
    {
        long number => number,
        bool flag => flag ? 1 : 0,
        Undefined undefined => throw undefined.Error,
        _ => throw new ChatTemplateException($"{what} must be an integer, not {PythonType.Name(value)}"),
    };

    public static long? OptionalInteger(object? value, string what) => value is null or None ? null : Integer(value, what);

    public static string Text(object value, string what) => value switch
    {
        string text => text,
        Undefined undefined => throw undefined.Error,
        _ => throw new ChatTemplateException($"{what} must be a text, not {PythonType.Name(value)}"),
    };

    public static string? OptionalText(object? value, string what) => value is null or None ? null : Text(value, what);

    public static bool Flag(object? value, bool otherwise = false) => value is null ? otherwise : PythonComparison.IsTrue(value);
}
