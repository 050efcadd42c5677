using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace DeRa.Client.Http;

/// <summary>
/// Answers conversations by <c>chat/completions</c>. It reads responses itself: OpenAI's types know one choice of a chunk, none of the
/// fields of a realignment, and take an error in the middle of a stream for a chunk without text.
/// </summary>
/// <param name="connection">The server.</param>
/// <param name="model">The model; null = the pair.</param>
internal sealed class HttpChatClient(HttpConnection connection, string? model) : IChatClient
{
    private const string Path = "chat/completions";
    private readonly ChatClientMetadata _about = new("dera", connection.Endpoint, model);

    /// <inheritdoc/>
    public async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        var body = ChatBody.Of(messages, options, model, stream: false);
        using var response = await connection.PostAsync(Path, body, stream: false, cancellationToken).ConfigureAwait(false);
        return ChatReader.Whole(Parse(response.Content.ToString()));
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(IEnumerable<ChatMessage> messages,
        ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var body = ChatBody.Of(messages, options, model, stream: true);
        using var response = await connection.PostAsync(Path, body, stream: true, cancellationToken).ConfigureAwait(false);
        var reader = new ChatReader();
        var events = SseParser.Create(response.ContentStream!).EnumerateAsync(cancellationToken).ConfigureAwait(false);
        await foreach (var happened in events)
        {
            if (happened.Data == "[DONE]") yield break;
            var json = Parse(happened.Data);
            if (json.TryGetProperty("error", out _)) throw HttpError.InStream(json);
            yield return reader.Chunk(json);
        }
        throw new IOException("The stream ended before the response did.");
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null) => serviceKey is not null ? null
        : serviceType == typeof(ChatClientMetadata) ? _about : serviceType?.IsInstanceOfType(this) == true ? this : null;

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private static JsonElement Parse(string text)
    {
        using var json = JsonDocument.Parse(text);
        return json.RootElement.Clone();
    }
}
