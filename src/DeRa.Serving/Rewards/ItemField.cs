using System.Text.Json;

namespace DeRa.Serving.Rewards;

/// <summary>A field of the item that a prompt comes from: what a completion is compared with.</summary>
/// <param name="Reward">The reward's kind, for errors.</param>
/// <param name="Name">The field's name.</param>
internal sealed record ItemField(string Reward, string Name)
{
    /// <summary>Its texts: one of a text, a number or a flag, all of a list of them.</summary>
    /// <param name="completion">The completion of the item's prompt.</param>
    /// <param name="texts">At least one; empty on failure.</param>
    /// <returns>Why there is none; null where there are.</returns>
    public string? Read(Completion completion, out IReadOnlyList<string> texts)
    {
        texts = [];
        if (completion.Item is not { ValueKind: JsonValueKind.Object } item)
            return $"reward {Reward}: the prompt has no item with a field '{Name}'";
        if (!item.TryGetProperty(Name, out var value)) return $"reward {Reward}: the prompt's item has no field '{Name}'";
        JsonElement[] values = value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray()] : [value];
        if (values.Length == 0 || values.Any(one =>
                one.ValueKind is JsonValueKind.Object or JsonValueKind.Array or JsonValueKind.Null))
            return $"reward {Reward}: the item's field '{Name}' must be a text, a number, a flag, or a list of at least one of them";
        texts = [.. values.Select(one => one.ToString())];
        return null;
    }
}
