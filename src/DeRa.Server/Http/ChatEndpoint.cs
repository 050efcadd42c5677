using System.Text.Json;
using DeRa.Server.Composition;
using DeRa.Server.Http.Wire;
using DeRa.Serving;

namespace DeRa.Server.Http;

/// <summary><c>POST /v1/chat/completions</c>.</summary>
internal sealed class ChatEndpoint(ServingState state, JsonIntake intake, TimeProvider time, ILogger<ChatEndpoint> log)
    : GenerationEndpoint(state, intake, time, log)
{
    /// <inheritdoc/>
    protected override string Operation => "chat";

    /// <inheritdoc/>
    protected override string IdPrefix => "chatcmpl-";

    /// <inheritdoc/>
    protected override WireRequest Read(JsonElement body, ServedPair pair) => ChatRequestReader.Read(body, pair);

    /// <inheritdoc/>
    protected override AnswerWriter Writer(AnswerHeader header, AnswerOptions options, TokenTexts texts) =>
        new ChatAnswerWriter(header, options, texts);
}
