using System.Text.Json;

namespace DeRa.Hosting.Options;

/// <summary>The words for the values of an option that is an enumeration: the values' names in kebab case.</summary>
public static class OptionWords
{
    /// <summary>The words, in the order of the values.</summary>
    /// <param name="type">An enumeration.</param>
    public static IReadOnlyList<string> All(Type type) => [.. Enum.GetNames(type).Select(JsonNamingPolicy.KebabCaseLower.ConvertName)];

    /// <summary>The words in a sentence: <c>auto, on or off</c>.</summary>
    /// <param name="type">An enumeration of at least two values.</param>
    public static string Allowed(Type type)
    {
        var words = All(type);
        return $"{string.Join(", ", words.SkipLast(1))} or {words[^1]}";
    }

    /// <summary>The word for a value.</summary>
    public static string Format(Enum value) => JsonNamingPolicy.KebabCaseLower.ConvertName(value.ToString());

    /// <summary>The value for a word; upper and lower case are the same. Null = there is none.</summary>
    /// <param name="type">An enumeration.</param>
    /// <param name="word">What was written; a value's number is no word.</param>
    public static object? Find(Type type, string word) => Enum.GetValues(type).Cast<Enum>()
        .FirstOrDefault(value => Format(value).Equals(word, StringComparison.OrdinalIgnoreCase));
}
