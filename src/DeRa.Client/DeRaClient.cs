using System.ClientModel;
using System.Text.Json;
using System.Text.Json.Nodes;
using DeRa.Client.Alignment;
using DeRa.Client.Http;
using Microsoft.Extensions.AI;
using OpenAI;

namespace DeRa.Client;

/// <summary>
/// A DeRa server over HTTP. Requests go through the pipeline of OpenAI's client: a request that meets 429, 503 or a broken connection is
/// sent again up to three times, after the time that the server names, and a refusal is a <see cref="ClientResultException"/>, of which
/// <see cref="DeRaError.Of"/> tells the field. Any thread may use it, many at once.
/// </summary>
public sealed class DeRaClient
{
    private readonly HttpConnection _connection;

    /// <summary>Makes a client; nothing is sent.</summary>
    /// <param name="endpoint">The server's address, such as <c>http://localhost:8080</c>, with <c>/v1</c> or without.</param>
    /// <param name="key">The API key; null where the server needs none.</param>
    /// <param name="options">Retries, time limits and transport of OpenAI's client; its endpoint is not looked at.</param>
    public DeRaClient(Uri endpoint, string? key = null, OpenAIClientOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        var root = endpoint.ToString().TrimEnd('/');
        var api = new Uri(root.EndsWith("/v1", StringComparison.Ordinal) ? root : $"{root}/v1");
        options ??= new OpenAIClientOptions();
        options.Endpoint = api;
        _connection = new HttpConnection(api, new OpenAIClient(new ApiKeyCredential(key ?? "none"), options));
    }

    /// <summary>A client for conversations, of which <see cref="ChatOptionsAlignment"/> has the options.</summary>
    /// <param name="model">One of the server's models, or the pair's with a strength, as in <c>pair@0.5</c>; null = the pair.</param>
    public IChatClient GetChatClient(string? model = null) => new HttpChatClient(_connection, model);

    /// <summary>Changes the strength of a stream for the tokens that follow. Of several changes before a token the last counts.</summary>
    /// <param name="generationId">The stream, by <c>ChatResponseUpdate.GenerationId</c>.</param>
    /// <param name="strength">λ of the first aligned model, in the server's range; usually −1 to 10.</param>
    /// <param name="choice">Which choice, from 0; null = all.</param>
    /// <param name="cancellation">Stops waiting; the change may have been made.</param>
    /// <returns>Where the change took effect, choice by choice.</returns>
    /// <exception cref="ClientResultException">The stream is unknown or has ended (404), or a value is out of range (400).</exception>
    public Task<IReadOnlyList<ChangedChoice>> ChangeStrengthAsync(
        string generationId, double strength, int? choice = null, CancellationToken cancellation = default) =>
        ChangeAsync(generationId, FieldNames.Strength, strength, choice, cancellation);

    /// <summary>Changes the strengths of several aligned models.</summary>
    /// <param name="generationId">The stream, by <c>ChatResponseUpdate.GenerationId</c>.</param>
    /// <param name="strengths">λ by aligned model; those not named weigh 0.</param>
    /// <param name="choice">Which choice, from 0; null = all.</param>
    /// <param name="cancellation">Stops waiting; the change may have been made.</param>
    /// <inheritdoc cref="ChangeStrengthAsync(string, double, int?, CancellationToken)"/>
    public Task<IReadOnlyList<ChangedChoice>> ChangeStrengthAsync(string generationId, IReadOnlyDictionary<string, double> strengths,
        int? choice = null, CancellationToken cancellation = default) =>
        ChangeAsync(generationId, FieldNames.Strengths, JsonSerializer.SerializeToNode(strengths), choice, cancellation);

    /// <summary>Ends a stream: its choices keep the text that they have.</summary>
    /// <param name="generationId">The stream, by <c>ChatResponseUpdate.GenerationId</c>.</param>
    /// <param name="choice">Which choice, from 0; null = all.</param>
    /// <param name="cancellation">Stops waiting; the stream may have been ended.</param>
    /// <exception cref="ClientResultException">The stream is unknown or has ended (404), or there is no such choice (400).</exception>
    public Task StopAsync(string generationId, int? choice = null, CancellationToken cancellation = default) =>
        ChangeAsync(generationId, "stop", true, choice, cancellation);

    /// <summary>Scores texts at many strengths; each model runs a text once.</summary>
    /// <param name="items">The texts; at least one.</param>
    /// <param name="strengths">1 to 1,000 strengths of the first aligned model, in the server's range.</param>
    /// <param name="options">How; null = with the pair, without each token.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>The scores of each text, in the order of <paramref name="items"/>.</returns>
    /// <exception cref="ClientResultException">The server refused it.</exception>
    public async Task<IReadOnlyList<ItemScores>> ScoreAsync(IReadOnlyList<ScoreItem> items, IReadOnlyList<double> strengths,
        ScoreOptions? options = null, CancellationToken cancellation = default) =>
        ScoreBody.Read(await PostAsync("realignment/score", ScoreBody.Of(items, strengths, options), cancellation).ConfigureAwait(false),
            strengths);

    private async Task<IReadOnlyList<ChangedChoice>> ChangeAsync(
        string generationId, string field, JsonNode? value, int? choice, CancellationToken cancellation)
    {
        ArgumentException.ThrowIfNullOrEmpty(generationId);
        var body = new JsonObject { [field] = value };
        if (choice is { } one) body["choice"] = one;
        var path = $"realignment/generations/{Uri.EscapeDataString(generationId)}";
        return [.. (await PostAsync(path, body, cancellation).ConfigureAwait(false)).List("choices")
            .Select(changed => new ChangedChoice(changed.GetProperty("index").GetInt32(), changed.Find("from_token")?.GetInt32()))];
    }

    private async Task<JsonElement> PostAsync(string path, JsonObject body, CancellationToken cancellation)
    {
        using var response = await _connection.PostAsync(path, body, stream: false, cancellation).ConfigureAwait(false);
        using var json = JsonDocument.Parse(response.Content);
        return json.RootElement.Clone();
    }
}
