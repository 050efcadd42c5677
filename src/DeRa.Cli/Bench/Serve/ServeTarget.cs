namespace DeRa.Cli.Bench.Serve;

/// <summary>The server that is measured, and how it is spoken to.</summary>
/// <param name="Server">Its address, with or without OpenAI's <c>/v1</c>.</param>
/// <param name="IsChat">Whether chat completions are asked for; else completions.</param>
/// <param name="Model"><c>model</c> of each request; null = not sent.</param>
/// <param name="ApiKey">Sent as a bearer token; null = none.</param>
internal sealed record ServeTarget(Uri Server, bool IsChat, string? Model, string? ApiKey)
{
    /// <summary>The endpoint's path, as vLLM's benchmark names it.</summary>
    public string Endpoint => IsChat ? "/v1/chat/completions" : "/v1/completions";

    /// <summary>Where requests go.</summary>
    public Uri Address
    {
        get
        {
            var path = Server.GetLeftPart(UriPartial.Path).TrimEnd('/');
            return new Uri((path.EndsWith("/v1", StringComparison.Ordinal) ? path[..^3] : path) + Endpoint);
        }
    }
}
