using System.Text.Json;
using DeRa.Server.Http.Wire;
using DeRa.Server.State;
using DeRa.Serving;

namespace DeRa.Server.Http;

/// <summary><c>POST /v1/chat/completions</c>.</summary>
internal sealed class ChatEndpoint(
    ServingState state, RunningGenerations running, JsonRequestReader reader, TimeProvider time, ILogger<ChatEndpoint> log)
    : GenerationEndpoint(state, running, reader, time, log)
{
    /// <inheritdoc/>
    protected override string IdPrefix => "chatcmpl-";

    /// <inheritdoc/>
    protected override WireRequest Read(JsonElement body, ServedPair pair) => ChatRequestReader.Read(body, pair);

    /// <inheritdoc/>
    protected override ResponseWriter Writer(ResponseHeader header, ResponseOptions options, TokenTexts texts) =>
        new ChatResponseWriter(header, options, texts);
}
