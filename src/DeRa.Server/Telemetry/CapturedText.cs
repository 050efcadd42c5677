using System.Diagnostics;
using System.Text;
using System.Text.Json;
using DeRa.Server.Responses;
using DeRa.Serving.Requests;
using DeRa.Serving.Streaming;

namespace DeRa.Server.Telemetry;

/// <summary>The text of a request and its response, as OpenTelemetry's conventions put it on a span; kept only by opt-in.</summary>
internal sealed class CapturedText(GenerationInput input, PreparedRequest request)
{
    private readonly StringBuilder[] _texts = [.. request.Choices.Select(_ => new StringBuilder())];
    private readonly string[] _reasons = [.. request.Choices.Select(_ => "error")];

    /// <summary>Takes a piece of the response.</summary>
    public void Add(ChoiceDelta piece)
    {
        _texts[piece.Index].Append(piece.Text);
        if (piece.FinishReason is { } reason) _reasons[piece.Index] = FinishReasons.Format(reason);
    }

    /// <summary>Puts it on the span.</summary>
    public void AddTo(Activity span)
    {
        span.SetTag("gen_ai.input.messages", JsonSerializer.Serialize(input.Prompts.SelectMany(Messages)));
        span.SetTag("gen_ai.output.messages", JsonSerializer.Serialize(_texts.Select((text, i) =>
            new { role = "assistant", parts = Parts(text.ToString()), finish_reason = _reasons[i] })));
    }

    private static IEnumerable<object> Messages(PromptInput prompt) => prompt switch
    {
        ChatPrompt chat => chat.Messages.Select(message => (object)new { role = message.Role, parts = Parts(message.Content) }),
        TextPrompt text => [new { role = "user", parts = Parts(text.Text) }],
        // Token ids are what the client sent; to turn them into text is not this class's business.
        _ => [],
    };

    private static object[] Parts(string content) => [new { type = "text", content }];
}
