using System.Diagnostics;
using System.Globalization;

namespace DeRa.Cli.Bench.Serve;

/// <summary>
/// Puts a load on a server that runs. In a closed loop each client holds conversations, one after the other, and sends the next turn as
/// soon as it has the reply. In an open loop conversations begin at random times, whatever became of earlier ones. A turn holds the system
/// prompt, which all share, and all turns and replies before it; a conversation of one turn is a request by itself.
/// </summary>
internal sealed class ServeBenchmark
{
    private static readonly TimeSpan s_progress = TimeSpan.FromSeconds(10), s_afterFailure = TimeSpan.FromSeconds(1);

    private readonly ServeTarget _target;
    private readonly ServeOptions _options;
    private readonly ConversationTexts _texts;
    private readonly ServeMeasurements _measured;
    private int _nextConversation = -1;

    private ServeBenchmark(ServeTarget target, ServeOptions options)
    {
        (_target, _options, _measured) = (target, options, new ServeMeasurements(options.Goodput));
        _texts = new ConversationTexts(Random.Shared.Next(), options);
    }

    /// <summary>Measures.</summary>
    /// <param name="target">The server.</param>
    /// <param name="options">Which load.</param>
    /// <param name="progress">Takes a line every ten seconds.</param>
    /// <param name="cancellation">Ends it early; what was measured until then is reported.</param>
    public static async Task<ServeReport> RunAsync(
        ServeTarget target, ServeOptions options, TextWriter progress, CancellationToken cancellation)
    {
        var benchmark = new ServeBenchmark(target, options);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var timer = new PeriodicTimer(s_progress);
        if (options.Seconds is { } seconds) stop.CancelAfter(TimeSpan.FromSeconds(seconds));
        var began = Stopwatch.GetTimestamp();
        var shown = benchmark.ShowAsync(began, timer, progress);
        if (options.Rate is { } rate) await benchmark.ArriveAsync(rate, stop.Token);
        else await Task.WhenAll(Enumerable.Range(0, options.Concurrency ?? 1).Select(_ => benchmark.ChatAsync(stop.Token)));
        var took = Stopwatch.GetElapsedTime(began).TotalSeconds;
        timer.Dispose();
        await shown;
        return benchmark._measured.Report(options, took);
    }

    /// <summary>A client of a closed loop.</summary>
    private async Task ChatAsync(CancellationToken stop)
    {
        using var client = new ServeClient(_target, connections: 1);
        while (!stop.IsCancellationRequested)
        {
            var conversation = Interlocked.Increment(ref _nextConversation);
            if (conversation >= _options.Conversations) return;
            // A server that refuses gets no storm of requests.
            if (!await ConverseAsync(client, conversation, stop))
                await Task.Delay(s_afterFailure, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>An open loop: times are counted from the beginning, so that a late one makes no other late.</summary>
    private async Task ArriveAsync(double rate, CancellationToken stop)
    {
        using var client = new ServeClient(_target, connections: int.MaxValue);
        var (began, conversations) = (Stopwatch.GetTimestamp(), new List<Task>());
        foreach (var at in PoissonArrivals.At(rate, _options.Seed))
        {
            if (conversations.Count >= _options.Conversations) break;
            var wait = at - Stopwatch.GetElapsedTime(began);
            if (wait > TimeSpan.Zero) await Task.Delay(wait, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stop.IsCancellationRequested) break;
            conversations.Add(ConverseAsync(client, conversations.Count, stop));
        }
        await Task.WhenAll(conversations);
    }

    /// <summary>Holds a conversation; false where a request failed.</summary>
    private async Task<bool> ConverseAsync(ServeClient client, int conversation, CancellationToken stop)
    {
        var messages = new List<ChatMessage>();
        if (_texts.System.Length > 0) messages.Add(new ChatMessage("system", _texts.System));
        double? strength = _options.Strengths is { Count: > 0 } strengths ? strengths[conversation % strengths.Count] : null;
        for (var turn = 0; turn < _options.Turns; turn++)
        {
            messages.Add(new ChatMessage("user", _texts.User(conversation, turn)));
            var reply = await client.AskAsync(messages, _options, strength, stop);
            // A conversation that has grown too long is over, as for a user; one that cannot begin is a failure.
            if (reply.IsTooLong && turn > 0)
            {
                _measured.OutgrewContext();
                return true;
            }
            _measured.Add(reply);
            if (reply.IsInterrupted) return true;
            if (reply.Failure is not null) return false;
            messages.Add(new ChatMessage("assistant", reply.Reply));
        }
        _measured.Completed();
        return true;
    }

    /// <summary>Ends when the timer is disposed.</summary>
    private async Task ShowAsync(long began, PeriodicTimer timer, TextWriter progress)
    {
        while (await timer.WaitForNextTickAsync())
        {
            var (requests, failed, tokens) = _measured.Totals;
            var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
            progress.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{seconds,5:F0} s: {requests} requests, {failed} failed, {tokens / seconds:F0} output tokens/s"));
        }
    }
}
