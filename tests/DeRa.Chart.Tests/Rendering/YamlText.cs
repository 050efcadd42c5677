using System.Globalization;
using YamlDotNet.Serialization;

namespace DeRa.Chart.Tests.Rendering;

/// <summary>YAML to maps (by text), lists, texts, whole numbers (long), numbers (double), true and false, and back.</summary>
internal static class YamlText
{
    private static readonly IDeserializer s_reader =
        new DeserializerBuilder().WithAttemptingUnquotedStringTypeDeserialization().WithDuplicateKeyChecking().Build();

    private static readonly ISerializer s_writer = new SerializerBuilder().WithQuotingNecessaryStrings().Build();

    /// <summary>Reads one document.</summary>
    public static IReadOnlyDictionary<string, object?> Read(string text) =>
        Plain(s_reader.Deserialize<object?>(text)) as Dictionary<string, object?> ?? [];

    /// <summary>Writes with keys in order, as Helm's toYaml does.</summary>
    public static string Write(object? value) => s_writer.Serialize(Ordered(value)!);

    private static object? Plain(object? value) => value switch
    {
        IDictionary<object, object?> map =>
            map.ToDictionary(entry => Convert.ToString(entry.Key, CultureInfo.InvariantCulture)!, entry => Plain(entry.Value)),
        IList<object?> list => list.Select(Plain).ToList(),
        byte or sbyte or short or ushort or int or uint or long => Convert.ToInt64(value, CultureInfo.InvariantCulture),
        // By its text: the reader takes the smallest type that holds the digits, and 0.1 is another number as a float.
        float or double or decimal =>
            double.Parse(Convert.ToString(value, CultureInfo.InvariantCulture)!, CultureInfo.InvariantCulture),
        _ => value,
    };

    private static object? Ordered(object? value) => value switch
    {
        IReadOnlyDictionary<string, object?> map => new SortedDictionary<string, object?>(
            map.ToDictionary(entry => entry.Key, entry => Ordered(entry.Value)), StringComparer.Ordinal),
        IReadOnlyList<object?> list => list.Select(Ordered).ToList(),
        _ => value,
    };
}
