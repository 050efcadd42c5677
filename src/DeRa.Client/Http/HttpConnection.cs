using System.ClientModel;
using System.ClientModel.Primitives;
using System.Text.Json.Nodes;
using OpenAI;

namespace DeRa.Client.Http;

/// <summary>Posts to the server through OpenAI's client, whose key, retries, time limits and errors are those of every request.</summary>
/// <param name="endpoint">The API's address, with <c>v1</c>.</param>
/// <param name="client">OpenAI's client.</param>
internal sealed class HttpConnection(Uri endpoint, OpenAIClient client)
{
    /// <summary>The API's address.</summary>
    public Uri Endpoint => endpoint;

    /// <summary>Posts a body.</summary>
    /// <param name="path">Where to, after the API's address.</param>
    /// <param name="body">The body.</param>
    /// <param name="stream">Whether the response is read while it comes; the caller disposes it.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="ClientResultException">The server refused, or could not be reached, after the retries too.</exception>
    public async Task<PipelineResponse> PostAsync(string path, JsonObject body, bool stream, CancellationToken cancellation)
    {
        using var message = client.Pipeline.CreateMessage();
        (message.Request.Method, message.Request.Uri) = ("POST", new Uri($"{endpoint}/{path}"));
        message.Request.Headers.Set("Content-Type", "application/json");
        message.Request.Headers.Set("Accept", stream ? "text/event-stream" : "application/json");
        message.Request.Content = BinaryContent.Create(BinaryData.FromString(body.ToJsonString()));
        message.BufferResponse = !stream;
        message.Apply(new RequestOptions { CancellationToken = cancellation, BufferResponse = !stream });
        await client.Pipeline.SendAsync(message).ConfigureAwait(false);
        var response = message.ExtractResponse()!;
        if (!response.IsError) return response;
        using (response)
        {
            await response.BufferContentAsync(cancellation).ConfigureAwait(false);
            throw HttpError.Of(response);
        }
    }
}
