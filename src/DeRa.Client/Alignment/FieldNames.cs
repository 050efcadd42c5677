using Microsoft.Extensions.AI;

namespace DeRa.Client.Alignment;

/// <summary>Names of the API's fields, which are the keys of additional properties too.</summary>
internal static class FieldNames
{
    public const string Strength = "alignment_strength";
    public const string Strengths = "alignment_strengths";
    public const string Sweep = "alignment_sweep";
    public const string Schedule = "alignment_schedule";
    public const string Measures = "measures";
    public const string Rewards = "rewards";
    public const string ChoiceCount = "n";
    public const string Seed = "seed";
    public const string GenerationId = "generation_id";
    public const string Index = "index";
    public const string Choices = "choices";

    /// <summary>Numbers by name where there are none.</summary>
    public static IReadOnlyDictionary<string, double> NoNumbers { get; } = new Dictionary<string, double>();

    /// <summary>Scores by name where there are none.</summary>
    public static IReadOnlyDictionary<string, double?> NoScores { get; } = new Dictionary<string, double?>();

    /// <summary>The value of a key; null where there is none.</summary>
    public static T? Find<T>(this AdditionalPropertiesDictionary? properties, string key) =>
        properties is not null && properties.TryGetValue(key, out T? value) ? value : default;

    /// <summary>The properties with a value, or without it where it is null.</summary>
    public static AdditionalPropertiesDictionary? With(this AdditionalPropertiesDictionary? properties, string key, object? value)
    {
        if (value is null) properties?.Remove(key);
        else (properties ??= [])[key] = value;
        return properties;
    }
}
