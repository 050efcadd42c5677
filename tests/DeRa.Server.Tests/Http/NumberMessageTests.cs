using System.Text.Json.Nodes;
using Xunit;

namespace DeRa.Server.Tests.Http;

/// <summary>An error about a whole number names the range that the field really has, for every field that is one.</summary>
public class NumberMessageTests
{
    [Theory]
    [InlineData("/v1/completions", "CompletionRequest", "\"prompt\":\"a\"", 14)]
    [InlineData("/v1/chat/completions", "ChatCompletionRequest", "\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]", 12)]
    [InlineData("/detokenize", "DetokenizeRequest", "\"model\":null", 1)]
    public async Task Every_field_that_takes_whole_numbers_names_its_range(string path, string form, string rest, int least)
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("fine"));
        var fields = (await OpenApiTests.DocumentAsync(server))["components"]!["schemas"]![form]!["properties"]!.AsObject();
        var found = 0;
        foreach (var (name, schema) in fields)
        {
            // A schedule's numbers stand in pairs (ScheduleTests).
            if (name == "alignment_schedule" || Whole(schema!) is not { } whole) continue;
            found++;
            var isList = schema!["items"] is not null || name == "prompt";
            var others = name == "prompt" ? "\"model\":null" : rest;
            var range = whole["maximum"] is null ? "64 bits" : $"from {whole["minimum"]} to {whole["maximum"]}";
            foreach (var (number, ending) in ((string, string)[])[
                ("4.0", ", written without a fraction or an exponent."), ("4e0", ", written without a fraction or an exponent."),
                    ("4.5", "."),
                ("1234567890123456789012", ".")])
            {
                var reply = await server.PostAsync(path, $"{{{others},\"{name}\":{(isList ? $"[{number}]" : number)}}}");
                Assert.Equal((400, isList ? name + "[0]" : name), (reply.Status, reply.Param));
                var message = reply.Error.GetProperty("message").GetString()!;
                Assert.Contains($"is {number}; it must be ", message, StringComparison.Ordinal);
                Assert.Contains($"a whole number {(range == "64 bits" ? "of " : "")}{range}", message, StringComparison.Ordinal);
                Assert.EndsWith(ending, message, StringComparison.Ordinal);
                Assert.Equal(ending.Length > 1, message.Contains("written", StringComparison.Ordinal));
            }
        }
        Assert.True(found >= least, $"{found} fields take whole numbers");
    }

    private static JsonNode? Whole(JsonNode schema)
    {
        if (schema["anyOf"] is JsonArray forms) return forms.Select(form => Whole(form!)).FirstOrDefault(whole => whole is not null);
        if (schema["items"] is { } items) return Whole(items);
        return schema["type"]?.ToJsonString().Contains("integer", StringComparison.Ordinal) == true ? schema : null;
    }
}
