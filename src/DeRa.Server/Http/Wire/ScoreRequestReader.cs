using System.Text.Json;
using DeRa.Serving;
using DeRa.Serving.Requests;
using DeRa.Serving.Scoring;

namespace DeRa.Server.Http.Wire;

/// <summary>A request to <c>/v1/realignment/score</c>.</summary>
/// <param name="Input">What is scored.</param>
/// <param name="PerToken">Whether the response tells each token.</param>
/// <param name="Ignored">Fields that nobody here knows.</param>
internal sealed record WireScoreRequest(ScoreInput Input, bool PerToken, IReadOnlyList<string> Ignored);

/// <summary>Reads the body of <c>POST /v1/realignment/score</c>.</summary>
internal static class ScoreRequestReader
{
    private static readonly FieldTable ItemTable = new("ScoreItem", EndpointFields.ScoreItem, UnsupportedFields.ScoreItem);

    /// <summary>What it does with each field.</summary>
    public static FieldTable Table { get; } = new("ScoreRequest", EndpointFields.Score, UnsupportedFields.Score);

    /// <summary>Reads a body.</summary>
    /// <exception cref="InvalidRequestException">A field is missing, of the wrong type, or does not work.</exception>
    public static WireScoreRequest Read(JsonElement body, ServedPair pair)
    {
        var fields = new JsonFields(body, Table, pair);
        var ignored = fields.Ignored.ToList();
        var input = new ScoreInput
        {
            Model = fields.Text(RequestFields.Model),
            Items = [.. Entries(fields, RealignmentFields.Items).Select((item, i) => Item(item, $"items[{i}]", pair, ignored))],
            Sweep = [.. Entries(fields, RealignmentFields.ScoredStrengths).Select((value, i) => Strength(value, $"alignment_sweep[{i}]"))],
            CacheSalt = fields.Text(RequestFields.CacheSalt),
            TimeoutSeconds = fields.Number(RequestFields.Timeout),
        };
        return new WireScoreRequest(input, fields.IsTrue(RealignmentFields.PerToken), [.. ignored.Distinct()]);
    }

    private static JsonElement.ArrayEnumerator Entries(JsonFields fields, RequestField field) => fields.Value(field.Name) switch
    {
        null => throw new InvalidRequestException(field.Name, $"'{field.Name}' is missing."),
        { ValueKind: JsonValueKind.Array } list => list.EnumerateArray(),
        _ => throw JsonFields.Wrong(field.Name, "a list"),
    };

    private static SweepStrength Strength(JsonElement value, string place) => value.ValueKind switch
    {
        JsonValueKind.Number => new SweepStrength(value.GetDouble(), null, place),
        JsonValueKind.Object => new SweepStrength(null, MapFields.NamedNumbers(value, place), place),
        _ => throw JsonFields.Wrong(place, "a number, or an object with a number for each aligned model"),
    };

    private static ScoreItem Item(JsonElement item, string place, ServedPair pair, List<string> ignored)
    {
        if (item.ValueKind != JsonValueKind.Object)
            throw JsonFields.Wrong(place, "an object with 'prompt' and 'continuation', or with 'messages'");
        try
        {
            var fields = new JsonFields(item, ItemTable, pair);
            ignored.AddRange(fields.Ignored.Select(name => $"items.{name}"));
            var (prompt, continuation) = (Text(fields, RealignmentFields.ItemPrompt), Text(fields, RealignmentFields.Continuation));
            if (fields.Value(RequestFields.Messages.Name) is null)
                return new ScoreItem(prompt ?? throw Missing("prompt"), continuation ?? throw Missing("continuation"), place);
            return prompt is null && continuation is null ? new ScoreItem(MessagesField.Read(fields), null, place)
                : throw new InvalidRequestException("messages",
                    "'messages' and 'prompt' or 'continuation' are both set; send one of them.");
        }
        catch (InvalidRequestException wrong)
        {
            throw new InvalidRequestException($"{place}.{wrong.Field}", $"'{place}': {wrong.Message}");
        }
    }

    private static InvalidRequestException Missing(string field) =>
        new(field, $"'{field}' is missing; an item has 'prompt' and 'continuation', or 'messages'.");

    private static PromptInput? Text(JsonFields fields, RequestField field) => fields.Value(field.Name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } text => new TextPrompt(FieldText.Of(text, field.Name), field.Name),
        { ValueKind: JsonValueKind.Array } tokens => new TokenPrompt(fields.TokenIds(tokens, field.Name, field), field.Name),
        _ => throw JsonFields.Wrong(field.Name, "a string or a list of token ids"),
    };
}
