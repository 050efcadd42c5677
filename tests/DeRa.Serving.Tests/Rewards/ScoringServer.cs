using System.Net;
using System.Text;
using Xunit;

namespace DeRa.Serving.Tests.Rewards;

/// <summary>An HTTP server that responds as a test says.</summary>
internal sealed class ScoringServer : IDisposable
{
    private readonly HttpListener _listener;
    private readonly Func<string, (int Status, string Body)>? _respond;

    /// <summary>Gives the responses one after the other and stays with the last; with none it never responds.</summary>
    public ScoringServer(params (int Status, string Body)[] responses)
    {
        _respond = responses.Length == 0 ? null : _ => responses[Math.Min(Received.Count, responses.Length) - 1];
        (_listener, Root) = Listen();
        _ = ServeAsync();
    }

    /// <summary>Responds to each body.</summary>
    public ScoringServer(Func<string, string> respond)
    {
        _respond = body => (200, respond(body));
        (_listener, Root) = Listen();
        _ = ServeAsync();
    }

    public Uri Root { get; }

    public Uri Address => new(Root, "score/");

    public List<string> Received { get; } = [];

    public List<string> Paths { get; } = [];

    /// <summary>The last body's; −1 where it came in chunks.</summary>
    public long ContentLength { get; private set; }

    public string? Authorization { get; private set; }

    public void Dispose() => _listener.Close();

    // A port is free until another program takes it between the choice and the listening.
    private static (HttpListener, Uri) Listen()
    {
        for (var attempt = 0; ; attempt++)
        {
            var address = new Uri($"http://localhost:{Random.Shared.Next(20000, 60000)}/");
            var listener = new HttpListener { Prefixes = { address.ToString() } };
            try
            {
                listener.Start();
                return (listener, address);
            }
            catch (HttpListenerException) when (attempt < 20)
            {
                listener.Close();
            }
        }
    }

    private async Task ServeAsync()
    {
        while (_listener.IsListening)
        {
            var context = await _listener.GetContextAsync();
            using var reader = new StreamReader(context.Request.InputStream);
            Received.Add(await reader.ReadToEndAsync(TestContext.Current.CancellationToken));
            Paths.Add(context.Request.Url!.PathAndQuery);
            ContentLength = context.Request.ContentLength64;
            Authorization = context.Request.Headers["authorization"];
            if (_respond is null) continue;
            var (status, body) = _respond(Received[^1]);
            context.Response.StatusCode = status;
            context.Response.Close(Encoding.UTF8.GetBytes(body), willBlock: true);
        }
    }
}
