using System.Text.Json;
using System.Text.Json.Nodes;
using DeRa.Server.Http.Wire;
using DeRa.Serving;
using DeRa.Serving.Requests;
using DeRa.Testing;
using NJsonSchema;
using Xunit;

namespace DeRa.Server.Tests.Http;

/// <summary>
/// What the API reference says a field may be is what the readers and the validator take: at each bound of each field's
/// schema, on it and on either side, and for values of other types.
/// </summary>
public class DescribedRangeTests
{
    /// <summary>Fields whose range depends on others in a request, each with the others that make it what its schema says.</summary>
    private static readonly Dictionary<string, string> Companions = new()
    {
        ["CompletionRequest.max_tokens"] = "\"echo\":true",
        ["CompletionRequest.max_completion_tokens"] = "\"echo\":true",
        ["ChatCompletionRequest.top_logprobs"] = "\"logprobs\":true",
        ["CompletionRequest.min_tokens"] = "\"max_tokens\":-1",
        ["CompletionRequest.stream_options"] = "\"stream\":true",
        ["ChatCompletionRequest.stream_options"] = "\"stream\":true",
    };

    private const int ContextTokens = 1 << 12;

    private static readonly JsonNode?[] OtherTypes = [null, true, false, "a", "", 0, 1, 1.5, -1, new JsonArray(), new JsonArray("a"),
        new JsonArray(1), new JsonObject()];

    [Theory]
    [InlineData("CompletionRequest", "\"prompt\":[97]")]
    [InlineData("ChatCompletionRequest", "\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]")]
    public async Task A_field_takes_what_its_schema_takes(string form, string rest)
    {
        await using var server = await ServerFixture.StartAsync(new ScriptedExecutor(contextTokens: ContextTokens, blockTokens: 1 << 8,
            blockCount: 1 << 12));
        var pair = server.State.Pair!;
        var properties = (await OpenApiTests.DocumentAsync(server))["components"]!["schemas"]![form]!["properties"]!.AsObject();
        var wrong = new List<string>();
        var (good, bad) = (0, 0);
        foreach (var (name, schema) in properties)
        {
            // They have tests of their own; and what is wrong inside them is told by the place inside.
            if (name is "prompt" or "messages" or "model" or "chat_template_kwargs" or "alignment_schedule") continue;
            var oracle = await JsonSchema.FromJsonAsync(schema!.ToJsonString(), ServerFixture.Stop);
            foreach (var value in Candidates(schema).Concat(OtherTypes).DistinctBy(Text))
            {
                if (IsOwnMatter(form, name, value)) continue;
                var body = $$"""{{{rest}},"{{name}}":{{Text(value)}}{{Companion(form, name)}}}""";
                var isDescribed = oracle.Validate(Text(value)).Count == 0;
                var isRefused = Refusal(pair, form, body)?.StartsWith(name, StringComparison.Ordinal) == true;
                if (isDescribed) good++;
                else bad++;
                if (isDescribed == isRefused)
                    wrong.Add($"{name} = {Text(value)}: described as {(isDescribed ? "good" : "bad")}, and is not");
            }
        }
        Assert.Empty(wrong);
        Assert.True(good > 100 && bad > 100, $"{good} good values, {bad} bad ones");
    }

    /// <summary>What JSON Schema cannot say about a field.</summary>
    private static bool IsOwnMatter(string form, string name, JsonNode? value) => (name, value) switch
    {
        // What the context leaves: less than all but a token, where a prompt has more tokens than one.
        ("max_tokens" or "max_completion_tokens" or "min_tokens", JsonValue number) when form == "ChatCompletionRequest"
            && IsNumber(number) && (double)number is > ContextTokens / 2 and < ContextTokens => true,
        // Bytes, not characters, and more than blanks; ids come as names of fields.
        ("bad_words", JsonArray words) => words.Any(word => string.IsNullOrWhiteSpace(word?.ToString())),
        // A server without rewards takes none, but NJsonSchema takes a greatest number of 0 for no limit.
        ("rewards", JsonArray { Count: > 0 }) => true,
        // 1.0 and 1e0 are whole numbers to a schema; the readers take those that are written as such.
        (_, JsonValue number) when IsNumber(number) => number.ToJsonString().Contains('E', StringComparison.Ordinal),
        _ => false,
    };

    private static string Companion(string form, string name) => Companions.TryGetValue($"{form}.{name}", out var with) ? "," + with : "";

    private static string? Refusal(ServedPair pair, string form, string body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            var read = form == "CompletionRequest" ? CompletionRequestReader.Read(document.RootElement, pair)
                : ChatRequestReader.Read(document.RootElement, pair);
            pair.Validator.Prepare(read.Input);
            return null;
        }
        catch (InvalidRequestException refused)
        {
            return refused.Field;
        }
    }

    private static IEnumerable<JsonNode?> Candidates(JsonNode schema)
    {
        foreach (var form in schema["anyOf"]?.AsArray().Select(form => form!) ?? [])
            foreach (var value in Candidates(form)) yield return value;
        foreach (var value in schema["enum"]?.AsArray().Where(IsNumber).Select(value => (double)value!) ?? [])
            foreach (var near in Near(value, schema)) yield return near;
        foreach (var bound in (string[])["minimum", "maximum", "exclusiveMinimum"])
            if (schema[bound] is { } edge)
                foreach (var near in Near((double)edge, schema)) yield return near;
        foreach (var count in Around(schema["minLength"], schema["maxLength"])) yield return new string('x', count);
        if (schema["items"] is { } items) foreach (var list in Lists(schema, items)) yield return list;
        if (schema["properties"] is JsonObject properties)
            foreach (var (name, own) in properties)
                foreach (var value in Candidates(own!)) yield return new JsonObject { [name] = value?.DeepClone() };
        if (schema["additionalProperties"] is JsonObject values)
            foreach (var map in Maps(schema, values)) yield return map;
    }

    private static bool IsNumber(JsonNode? value) => value?.GetValueKind() == JsonValueKind.Number;

    private static IEnumerable<JsonNode?> Near(double bound, JsonNode schema)
    {
        foreach (var step in (double[])[-1, -0.001, 0, 0.001, 1])
            if (!IsWhole(schema) || step == Math.Floor(step)) yield return Math.Round(bound + step, 6);
    }

    private static bool IsWhole(JsonNode schema) => schema["type"]?.ToJsonString().Contains("integer", StringComparison.Ordinal) == true;

    private static IEnumerable<int> Around(JsonNode? low, JsonNode? high) =>
        new[] { low, high }.OfType<JsonNode>().SelectMany(bound =>
            new[] { -1, 0, 1 }.Select(step => (int)bound + step)).Where(count => count >= 0);

    private static IEnumerable<JsonNode?> Lists(JsonNode schema, JsonNode items)
    {
        var good = items["type"]!.ToJsonString().Contains("string", StringComparison.Ordinal) ? (JsonNode)"x" : 1;
        foreach (var count in Around(schema["minItems"], schema["maxItems"]))
            yield return new JsonArray([.. Enumerable.Range(0, count).Select(_ => good.DeepClone())]);
        foreach (var item in Candidates(items)) yield return new JsonArray(item?.DeepClone());
    }

    private static IEnumerable<JsonNode?> Maps(JsonNode schema, JsonNode values)
    {
        foreach (var value in Candidates(values)) yield return new JsonObject { ["97"] = value?.DeepClone() };
        // Ids beyond the vocabulary would be refused as such: the bound lies above its size, and has a test of its own.
        foreach (var count in Around(null, schema["maxProperties"]).Where(count => count <= 258))
            yield return new JsonObject(Enumerable.Range(0, count).Select(i => KeyValuePair.Create($"{i}", (JsonNode?)1)));
    }

    private static string Text(JsonNode? value) => value?.ToJsonString() ?? "null";
}
