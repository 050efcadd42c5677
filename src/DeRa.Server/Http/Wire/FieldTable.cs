using System.Text.Json;
using DeRa.Hosting.Options;
using DeRa.Serving.Requests;

namespace DeRa.Server.Http.Wire;

/// <summary>What an endpoint does with each field that a client may send, so that nothing is ignored unseen.</summary>
/// <param name="form">The name of the form of request, as the API reference has it.</param>
/// <param name="fields">Fields that work.</param>
/// <param name="unsupported">Fields that clients of this API know and that do not work here.</param>
internal sealed class FieldTable(
    string form, IReadOnlyList<RequestField> fields, IReadOnlyDictionary<string, UnsupportedField> unsupported)
{
    private readonly HashSet<string> _read = [.. fields.Select(field => field.Name)];
    private readonly string[] _known = [.. fields.Select(field => field.Name), .. Accepted, .. unsupported.Keys];

    /// <summary>What names of the alignment strength have in them, in whatever words somebody puts it.</summary>
    private static readonly string[] StrengthWords = ["strength", "align", "lambda", "λ"];

    /// <summary>The name of the form of request.</summary>
    public string Form => form;

    /// <summary>Fields that work, in the order of the API reference.</summary>
    public IReadOnlyList<RequestField> Fields => fields;

    /// <summary>Their names.</summary>
    public IReadOnlyCollection<string> Read => _read;

    /// <summary>Fields that do not work here, and so are refused wherever they ask for something.</summary>
    public IEnumerable<string> Unsupported => unsupported.Keys;

    /// <summary>Fields that are taken and change nothing.</summary>
    public IEnumerable<string> WithoutEffect => Accepted.Except(_read);

    /// <summary>Decides about one field.</summary>
    /// <exception cref="InvalidRequestException">
    /// A field that does not work here, one that was probably misspelt, or one that holds an alignment strength where it is not read.
    /// </exception>
    public FieldUse Classify(string name, JsonElement value)
    {
        if (_read.Contains(name)) return FieldUse.Read;
        // Null says nothing, whatever the name.
        if (value.ValueKind == JsonValueKind.Null || Accepted.Contains(name)) return FieldUse.Taken;
        if (unsupported.TryGetValue(name, out var field))
            return field.AsksForNothing(value) ? FieldUse.Taken
                : throw new InvalidRequestException(name, $"'{name}' does not work here; {field.Advice}.");
        var isOthers = OtherServerFields.Names.Contains(name);
        if (!isOthers && Meant(name) is { } meant)
            throw new InvalidRequestException(name, $"'{name}' is not a field; is '{meant}' meant?");
        CheckHoldsNoStrength(name, value);
        return isOthers ? FieldUse.OfOtherServers : FieldUse.Unknown;
    }

    private string? Meant(string name)
    {
        if (NearestName.Find(name, _known) is { } near) return near;
        return NamesStrength(name) ? "alignment_strength" : null;
    }

    /// <summary>Whether a name is probably meant to be the alignment strength's.</summary>
    public static bool NamesStrength(string name) =>
        StrengthWords.Any(word => name.Contains(word, StringComparison.OrdinalIgnoreCase));

    /// <summary>Some clients put what they add to a request into an object of it, where it would be ignored unseen.</summary>
    private static void CheckHoldsNoStrength(string name, JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Object) return;
        foreach (var strength in EndpointFields.Strengths.Select(field => field.Name))
            if (value.TryGetProperty(strength, out var held) && held.ValueKind != JsonValueKind.Null)
                throw new InvalidRequestException($"{name}.{strength}",
                    $"'{strength}' is not read inside '{name}'; it is a field of the request itself.");
    }

    /// <summary>
    /// Fields that change nothing about what is generated: bookkeeping and hints, which a server may take no notice of.
    /// </summary>
    private static readonly HashSet<string> Accepted =
    [
        "user", "store", "metadata", "service_tier", "safety_identifier", "prompt_cache_key", "prompt_cache_options",
        "prompt_cache_retention", "prediction", "verbosity", "reasoning_effort", "parallel_tool_calls", "request_id",
    ];
}
