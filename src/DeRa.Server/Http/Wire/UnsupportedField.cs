using System.Text.Json;

namespace DeRa.Server.Http.Wire;

/// <summary>A field that clients of this API know and that does not work here.</summary>
/// <param name="advice">What to do instead of sending it.</param>
/// <param name="alsoPasses">
/// Values that ask for nothing, beside null, false, an empty text and an empty list, which never do; null = no others.
/// </param>
internal sealed class UnsupportedField(string advice, Func<JsonElement, bool>? alsoPasses = null)
{
    /// <summary>What to do instead of sending it, as a clause of a sentence.</summary>
    public string Advice => advice;

    /// <summary>Whether a value asks for nothing, and so may be sent.</summary>
    public bool AsksForNothing(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null or JsonValueKind.False => true,
        JsonValueKind.String when value.ValueEquals("") => true,
        JsonValueKind.Array when value.GetArrayLength() == 0 => true,
        _ => alsoPasses?.Invoke(value) == true,
    };
}
