using System.Text.Json;
using DeRa.Server.Http.Wire;
using DeRa.Server.State;
using DeRa.Serving;

namespace DeRa.Server.Http;

/// <summary><c>POST /v1/completions</c>.</summary>
internal sealed class CompletionsEndpoint(
    ServingState state, RunningGenerations running, JsonRequestReader reader, TimeProvider time, ILogger<CompletionsEndpoint> log)
    : GenerationEndpoint(state, running, reader, time, log)
{
    /// <inheritdoc/>
    protected override string IdPrefix => "cmpl-";

    /// <inheritdoc/>
    protected override WireRequest Read(JsonElement body, ServedPair pair) => CompletionRequestReader.Read(body, pair);

    /// <inheritdoc/>
    protected override ResponseWriter Writer(ResponseHeader header, ResponseOptions options, TokenTexts texts) =>
        new CompletionResponseWriter(header, options, texts);
}
