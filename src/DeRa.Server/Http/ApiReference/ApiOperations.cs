using DeRa.Server.Http.Wire;
using DeRa.Serving;
using static DeRa.Server.Http.ApiReference.Schemas;

namespace DeRa.Server.Http.ApiReference;

/// <summary>The table from which both the OpenAPI document and the reference page are made.</summary>
internal static class ApiOperations
{
    /// <summary>Every operation, with the ranges and defaults in force.</summary>
    public static IReadOnlyList<ApiOperation> Of(ServedPair pair)
    {
        var catalogue = new FieldCatalogue(pair);
        return [Completions(pair, catalogue), Chat(pair, catalogue), .. Tokenizer(catalogue), .. Models(pair), .. State(), .. Reference()];
    }

    private static ApiOperation Completions(ServedPair pair, FieldCatalogue catalogue) => new(
        "createCompletion", "POST", "/v1/completions", "Completes texts.", "Completion")
    {
        Chunk = "CompletionChunk",
        Forms =
        [
            Form(CompletionRequestReader.Table, catalogue, MaxTokens("max_tokens", pair), MaxTokens("max_completion_tokens", pair)),
        ],
        Examples =
        [
            $$"""{"prompt": "One day, a dog", "max_tokens": 20, "seed": 1, "alignment_strength": {{Middle(pair)}}}""",
            """{"prompt": "One day, a dog", "max_tokens": 20, "stream": true, "stream_options": {"include_usage": true}}""",
        ],
    };

    private static string Middle(ServedPair pair) => pair.Validator.Limits.MaxStrength >= 1.5 ? "1.5" : "0.5";

    private static FieldDescription MaxTokens(string name, ServedPair pair) => new(name,
        FieldCatalogue.MaxTokens(0, pair.Engine.Limits).WithDefault(CompletionRequestReader.DefaultMaxTokens),
        "Most tokens to generate, 0 only with echo; with the prompt's at most what the context holds, which is what −1 asks for.");

    private static ApiOperation Chat(ServedPair pair, FieldCatalogue catalogue) => new(
        "createChatCompletion", "POST", "/v1/chat/completions", "Answers a conversation.", "ChatCompletion")
    {
        Chunk = "ChatCompletionChunk",
        Forms =
        [
            Form(ChatRequestReader.Table, catalogue, new FieldDescription(
                "logprobs", Flag().WithDefault(false), "Reports each token's log-probability in the mixture.")),
        ],
        Examples =
        [
            $$"""{"messages": [{"role": "user", "content": "Tell me about a dog."}], "max_tokens": 20, "model": "{{pair.Names.Pair}}"}""",
        ],
    };

    private static IEnumerable<ApiOperation> Tokenizer(FieldCatalogue catalogue)
    {
        var text = Form(TokenizeRequestReader.TextTable, catalogue, new FieldDescription(
            "prompt", AnyString(), "The text.", IsRequired: true));
        var tokenize = new ApiOperation("tokenize", "POST", "/tokenize", "Turns a text or a conversation into tokens.", "Tokens")
        {
            Forms = [text, Form(TokenizeRequestReader.ChatTable, catalogue)],
            Examples = ["""{"prompt": "One day, a dog", "return_token_strs": true}"""],
        };
        var detokenize = new ApiOperation("detokenize", "POST", "/detokenize", "Turns tokens into text, special tokens spelt out.", "Text")
        {
            Forms = [Form(DetokenizeRequestReader.Table, catalogue)],
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

    private static IEnumerable<ApiOperation> Models(ServedPair pair) =>
    [
        new("listModels", "GET", "/v1/models", $"Lists what is served: {string.Join(", ", pair.Names.All)}.", "ModelList"),
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
                OtherAnswers = unwell,
            },
            new("ready", "GET", "/readyz", "200 while requests are taken; 503 while loading or draining.", "State")
            {
                IsOpen = true,
                OtherAnswers = unwell,
            },
            new("health", "GET", "/health", "The same as /readyz.", "State")
            {
                IsOpen = true,
                OtherAnswers = unwell,
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

    private static RequestForm Form(FieldTable table, FieldCatalogue catalogue, params FieldDescription[] own) =>
        new(table.Form, catalogue.Describe(table.Read, own), [.. table.WithoutEffect], [.. table.Unsupported]);
}
