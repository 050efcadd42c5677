using System.Text.Json;

namespace DeRa.Serving.Rewards;

/// <summary>
/// Scores by an external program, which is started at the first call and kept running: it receives a JSON line for each completion,
/// {"prompt", "completion", "tokens", "finished"} and "item" where there is one, and replies to each with a line, 0.5 or {"score": 0.5},
/// in the same order.
/// </summary>
/// <remarks>
/// A completion at which the program ends or falls silent has no score; the program is started again for those after it, up to
/// <see cref="MaxFailures"/> times in a row in one call. One that writes more lines than it was sent is given up: it is unknown which was
/// for which.
/// </remarks>
internal sealed class CommandReward : IReward
{
    /// <summary>How often in a row the program may fail in one call, with no score in between.</summary>
    public const int MaxFailures = 3;

    private static readonly TimeSpan ExitGrace = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim _turn = new(1);
    private readonly IReadOnlyList<string> _words;
    private readonly RewardSettings _settings;
    private ScorerProcess? _process;
    private int _failures; // in a row, in this call
    private string? _stopped; // why this call asks no more
    private string? _givenUp; // why no call does

    /// <param name="command">Program and arguments; see <see cref="CommandLineWords"/>.</param>
    /// <param name="settings">How long to wait for one line, and who is shown its errors.</param>
    /// <exception cref="RewardException">There is no command, or a quote in it is not closed.</exception>
    public CommandReward(string command, RewardSettings settings)
    {
        Name = "command:" + command;
        _words = CommandLineWords.Split(command);
        _settings = settings;
    }

    public string Name { get; }

    public async ValueTask<IReadOnlyList<RewardScore>> ScoreAsync(
        IReadOnlyList<Completion> completions, CancellationToken cancellation)
    {
        await _turn.WaitAsync(cancellation);
        try
        {
            (_failures, _stopped) = (0, _givenUp);
            var scores = new RewardScore[completions.Count];
            for (var scored = 0; scored < scores.Length;)
            {
                if (_stopped is { } reason)
                {
                    scores.AsSpan(scored).Fill(RewardScore.Failed(reason));
                    break;
                }
                scored = await ExchangeAsync(completions, scores, scored, cancellation);
            }
            return scores;
        }
        catch
        {
            // Replies to what was sent may still come.
            End();
            throw;
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose()
    {
        End();
        _turn.Dispose();
    }

    /// <summary>Scores completions until all are or the program fails at one.</summary>
    /// <returns>The first that is without a score.</returns>
    private async Task<int> ExchangeAsync(
        IReadOnlyList<Completion> completions, RewardScore[] scores, int first, CancellationToken cancellation)
    {
        if (!TryStart(out var process)) return first;
        using var sendingEnd = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var sending = process.SendAsync(
            completions.Skip(first).Select(completion => JsonSerializer.Serialize(ScoreLine.Of(completion))), sendingEnd.Token);
        var next = first;
        string? failure = null;
        while (next < scores.Length && failure is null)
        {
            var (line, why) = await ReadLineAsync(process, $"{next} of {scores.Length} scores", cancellation);
            scores[next++] = line is null ? RewardScore.Failed(why!) : Read(line, process);
            if (line is null) failure = why;
        }
        if (failure is null && await HasReadAllAsync(sending, cancellation)) return next;
        Fail(failure ?? "reward command: it replied to more completions than it read");
        await sendingEnd.CancelAsync();
        await sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return next;
    }

    private RewardScore Read(string line, ScorerProcess process)
    {
        if (ScoreLine.Read(line) is not { } score)
            return RewardScore.Failed(
                $"reward command: {Quote(line)} is neither a finite number nor {{\"score\": number}}{process.LastErrors()}");
        _failures = 0;
        return RewardScore.Of(score);
    }

    private bool TryStart(out ScorerProcess process)
    {
        process = _process!;
        if (process is null)
        {
            try
            {
                process = _process = new ScorerProcess(_words, _settings.ErrorLine);
                return true;
            }
            catch (RewardException exception)
            {
                _stopped = exception.Message;
                return false;
            }
        }
        if (!process.Output.TryRead(out var surplus)) return true;
        _stopped = _givenUp = $"reward command: it wrote more lines than it was sent completions: {Quote(surplus)}";
        End();
        return false;
    }

    private async Task<(string? Line, string? Why)> ReadLineAsync(
        ScorerProcess process, string progress, CancellationToken cancellation)
    {
        try
        {
            if (await process.Output.WaitToReadAsync(cancellation).AsTask().WaitAsync(_settings.Timeout, cancellation)
                && process.Output.TryRead(out var line))
                return (line, null);
        }
        catch (TimeoutException)
        {
            return (null, $"reward command: after {progress} no line came for {_settings.Timeout.TotalSeconds} s{process.LastErrors()}");
        }
        return (null, $"reward command: after {progress} {await process.DescribeEndAsync(ExitGrace)}");
    }

    private async Task<bool> HasReadAllAsync(Task sending, CancellationToken cancellation)
    {
        try
        {
            await sending.WaitAsync(_settings.Timeout, cancellation);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    private void Fail(string why)
    {
        End();
        if (++_failures >= MaxFailures) _stopped = $"{why}\n(not asked any more after it failed {MaxFailures} times in a row)";
    }

    private void End()
    {
        _process?.Dispose();
        _process = null;
    }

    private static string Quote(string line) => line.Length <= 80 ? $"'{line}'" : $"'{line[..80]}…'";
}
