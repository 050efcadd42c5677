using DeRa.Server.Http.Wire;
using DeRa.Server.State;
using DeRa.Serving;
using DeRa.Serving.Requests;

namespace DeRa.Server.Http.ApiReference;

/// <summary>The table from which both the OpenAPI document and the reference page are made.</summary>
internal static class ApiOperations
{
    /// <summary>Every operation, with effective ranges and defaults.</summary>
    public static IReadOnlyList<ApiOperation> Of(ServedPair pair)
    {
        var context = pair.Validator.Context;
        return
        [
            Completions(context), Chat(context), GenerationChange(context), Score(context), .. Tokenizer(context), .. Models(context),
            .. State(), .. Reference(),
        ];
    }

    private static ApiOperation Completions(FieldContext context) => new(
        "createCompletion", "POST", "/v1/completions", "Completes texts.", "Completion")
    {
        Chunk = "CompletionChunk",
        Forms = [Form(CompletionRequestReader.Table, context)],
        Examples =
        [
            $$"""{"prompt": "One day, a dog", "max_tokens": 20, "seed": 1, "alignment_strength": {{Middle(context)}}}""",
            """{"prompt": "One day, a dog", "max_tokens": 20, "stream": true, "stream_options": {"include_usage": true}}""",
        ],
    };

    private static string Middle(FieldContext context) => context.Limits.MaxStrength >= 1.5 ? "1.5" : "0.5";

    private static ApiOperation Chat(FieldContext context) => new(
        "createChatCompletion", "POST", "/v1/chat/completions", "Answers a conversation.", "ChatCompletion")
    {
        Chunk = "ChatCompletionChunk",
        Forms = [Form(ChatRequestReader.Table, context)],
        Examples =
        [
            """{"messages": [{"role": "user", "content": "Tell me about a dog."}],"""
                + $$""" "max_tokens": 20, "model": "{{context.Names.Pair}}"}""",
        ],
    };

    private static ApiOperation GenerationChange(FieldContext context) => new(
        "changeGeneration", "POST", RunningGenerations.Path + "/{id}",
        "Changes the strength of a response that is being streamed, for the tokens that follow, or ends it. An id that is unknown, has "
            + "ended or is another API key's is a 404.", "GenerationChanged")
    {
        // No example: there is an id only while something runs.
        Forms = [Form(GenerationChangeReader.Table, context)],
    };

    private static ApiOperation Score(FieldContext context) => new(
        "score", "POST", "/v1/realignment/score", "Scores texts at many alignment strengths, in one pass of each model.", "Scores")
    {
        Forms = [Form(ScoreRequestReader.Table, context)],
        Examples =
        [
            """{"items": [{"prompt": "One day, a dog", "continuation": " was happy."}], "alignment_sweep": [0, 0.5, 1]}""",
        ],
    };

    private static IEnumerable<ApiOperation> Tokenizer(FieldContext context)
    {
        var tokenize = new ApiOperation("tokenize", "POST", "/tokenize", "Turns a text or a conversation into tokens.", "Tokens")
        {
            Forms = [Form(TokenizeRequestReader.TextTable, context), Form(TokenizeRequestReader.ChatTable, context)],
            Examples = ["""{"prompt": "One day, a dog", "return_token_strs": true}"""],
        };
        var detokenize = new ApiOperation("detokenize", "POST", "/detokenize", "Turns tokens into text, special tokens spelt out.", "Text")
        {
            Forms = [Form(DetokenizeRequestReader.Table, context)],
            Examples = ["""{"tokens": [72, 105]}"""],
        };
        return [tokenize, detokenize, UnderV1(tokenize), UnderV1(detokenize)];
    }

    private static ApiOperation UnderV1(ApiOperation operation) => operation with
    {
        Id = operation.Id + "V1",
        Path = "/v1" + operation.Path,
        Summary = $"The same as {operation.Path}.",
        Examples = [],
    };

    private static IEnumerable<ApiOperation> Models(FieldContext context) =>
    [
        new("listModels", "GET", "/v1/models", $"Lists what is served: {string.Join(", ", context.Names.All)}.", "ModelList"),
        new("getModel", "GET", "/v1/models/{id}", "Shows one of them.", "Model"),
    ];

    private static IEnumerable<ApiOperation> State()
    {
        var unwell = new Dictionary<int, string> { [StatusCodes.Status503ServiceUnavailable] = "State" };
        return
        [
            new("live", "GET", "/livez", "200 while the process works; 503 once restarting it would help.", "State")
            {
                IsOpen = true,
                OtherResponses = unwell,
            },
            new("ready", "GET", "/readyz", "200 while requests are taken; 503 while loading or draining.", "State")
            {
                IsOpen = true,
                OtherResponses = unwell,
            },
            new("health", "GET", "/health", "The same as /readyz.", "State")
            {
                IsOpen = true,
                OtherResponses = unwell,
            },
            new("metrics", "GET", "/metrics", "Metrics for Prometheus, in its text format.", "Page") { MediaType = "text/plain" },
            new("version", "GET", "/version", "The server's version.", "Version"),
            new("info", "GET", "/info", "What is served where, and the limits and options in force.", "Info"),
        ];
    }

    private static IEnumerable<ApiOperation> Reference() =>
    [
        new("openapi", "GET", "/openapi/v1.json", "This reference as an OpenAPI 3.1 document.", "OpenApi"),
        new("docs", "GET", "/docs", "This reference as a page.", "Page") { MediaType = "text/html" },
    ];

    private static RequestForm Form(FieldTable table, FieldContext context) => new(table.Form,
        [.. table.Fields.Select(field => FieldDescription.Of(field, context))], [.. table.WithoutEffect], [.. table.Unsupported]);
}
