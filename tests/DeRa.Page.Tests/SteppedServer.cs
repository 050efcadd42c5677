using DeRa.Testing.Server;

namespace DeRa.Page.Tests;

/// <summary>Models that say a text, and take a step only when a test lets them.</summary>
internal static class SteppedServer
{
    /// <summary>Starts one that says a text, or "aaa…" without end.</summary>
    public static async Task<(ServerFixture Server, SemaphoreSlim Steps)> StartAsync(string? text = null)
    {
        var executor = text is null ? Scripts.Endless() : Scripts.Saying(text);
        var steps = new SemaphoreSlim(0);
        executor.BeforeStep = _ => steps.Wait(executor.TestOver);
        // The first step of a server is its own.
        steps.Release();
        return (await ServerFixture.StartAsync(executor), steps);
    }

    /// <summary>Lets steps happen, one by one, until something is so.</summary>
    public static async Task StepUntilAsync(this SemaphoreSlim steps, Func<Task<bool>> isSo)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ServerFixture.Stop);
        limit.CancelAfter(TimeSpan.FromSeconds(120));
        while (!await isSo())
        {
            limit.Token.ThrowIfCancellationRequested();
            steps.Release();
        }
    }
}
