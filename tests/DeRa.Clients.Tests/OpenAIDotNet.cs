using System.ClientModel;
using System.ClientModel.Primitives;
using DeRa.Testing.Server;
using OpenAI;

namespace DeRa.Clients.Tests;

/// <summary>Makes OpenAI's client for a server under test.</summary>
internal static class OpenAIDotNet
{
    /// <summary>The client, with its own retry policy where none is given.</summary>
    public static OpenAIClient Client(ServerFixture server, PipelinePolicy? retries = null, string key = "none")
    {
        var options = new OpenAIClientOptions { Endpoint = new Uri(server.Http.BaseAddress!, "v1") };
        if (retries is not null) options.RetryPolicy = retries;
        return new OpenAIClient(new ApiKeyCredential(key), options);
    }
}

/// <summary>The client's own policy, but what it would wait for is noted and something is done instead of waiting.</summary>
/// <param name="instead">What to do.</param>
/// <param name="maxRetries">How often it tries again.</param>
internal sealed class WatchedRetryPolicy(Func<Task> instead, int maxRetries = 3) : ClientRetryPolicy(maxRetries)
{
    public List<TimeSpan> Delays { get; } = [];

    protected override Task WaitAsync(TimeSpan time, CancellationToken cancellationToken)
    {
        Delays.Add(time);
        return instead();
    }
}
