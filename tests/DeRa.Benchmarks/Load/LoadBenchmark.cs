using System.Diagnostics;
using System.Globalization;

namespace DeRa.Benchmarks.Load;

/// <summary>
/// A closed loop: each client holds conversations, one after the other, and sends the next turn as soon as it has the reply. A turn holds
/// the system prompt, which all share, and all turns and replies before it.
/// </summary>
internal sealed class LoadBenchmark
{
    private static readonly TimeSpan s_progress = TimeSpan.FromSeconds(10), s_afterFailure = TimeSpan.FromSeconds(1);

    private readonly LoadOptions _options;
    private readonly ConversationTexts _texts;
    private readonly LoadMeasurements _measured = new();
    private int _nextConversation = -1;

    private LoadBenchmark(LoadOptions options) =>
        (_options, _texts) = (options, new ConversationTexts(Random.Shared.Next(), options.SystemWords));

    /// <summary>Puts the load on a server that runs.</summary>
    /// <param name="options">Which load.</param>
    /// <param name="progress">Takes a line every ten seconds.</param>
    /// <param name="cancellation">Ends it early; what was measured until then is reported.</param>
    public static async Task<LoadReport> RunAsync(LoadOptions options, TextWriter progress, CancellationToken cancellation)
    {
        var benchmark = new LoadBenchmark(options);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var timer = new PeriodicTimer(s_progress);
        if (options.Seconds is { } seconds) stop.CancelAfter(TimeSpan.FromSeconds(seconds));
        var began = Stopwatch.GetTimestamp();
        var shown = benchmark.ShowAsync(began, timer, progress);
        await Task.WhenAll(Enumerable.Range(0, options.Clients).Select(_ => benchmark.ChatAsync(stop.Token)));
        var took = Stopwatch.GetElapsedTime(began).TotalSeconds;
        timer.Dispose();
        await shown;
        return benchmark._measured.Report(options, took);
    }

    private async Task ChatAsync(CancellationToken stop)
    {
        using var client = new ChatClient(_options);
        while (!stop.IsCancellationRequested)
        {
            var conversation = Interlocked.Increment(ref _nextConversation);
            if (conversation >= _options.Conversations) return;
            await ConverseAsync(client, conversation, stop);
        }
    }

    private async Task ConverseAsync(ChatClient client, int conversation, CancellationToken stop)
    {
        var messages = new List<ChatMessage>();
        if (_texts.System.Length > 0) messages.Add(new ChatMessage("system", _texts.System));
        double? strength = _options.Strengths is { Count: > 0 } strengths ? strengths[conversation % strengths.Count] : null;
        for (var turn = 0; turn < _options.Turns; turn++)
        {
            messages.Add(new ChatMessage("user", _texts.User(conversation, turn)));
            var reply = await client.AskAsync(messages, strength, stop);
            // A conversation that has grown too long is over, as for a user; one that cannot begin is a failure.
            if (reply.IsTooLong && turn > 0)
            {
                _measured.OutgrewContext();
                return;
            }
            _measured.Add(reply);
            if (reply.IsCutOff) return;
            if (reply.Failure is not null)
            {
                // A server that refuses gets no storm of requests.
                await Task.Delay(s_afterFailure, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                return;
            }
            messages.Add(new ChatMessage("assistant", reply.Reply));
        }
        _measured.Completed();
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
