using System.Text.Json;
using DeRa.Server.Composition;
using DeRa.Server.Http.Wire;
using DeRa.Serving;

namespace DeRa.Server.Http;

/// <summary><c>POST /v1/completions</c>.</summary>
internal sealed class CompletionsEndpoint(ServingState state, JsonIntake intake, TimeProvider time, ILogger<CompletionsEndpoint> log)
    : GenerationEndpoint(state, intake, time, log)
{
    /// <inheritdoc/>
    protected override string Operation => "text_completion";

    /// <inheritdoc/>
    protected override string IdPrefix => "cmpl-";

    /// <inheritdoc/>
    protected override WireRequest Read(JsonElement body, ServedPair pair) => CompletionRequestReader.Read(body, pair);

    /// <inheritdoc/>
    protected override AnswerWriter Writer(AnswerHeader header, AnswerOptions options, TokenTexts texts) =>
        new CompletionAnswerWriter(header, options, texts);
}
