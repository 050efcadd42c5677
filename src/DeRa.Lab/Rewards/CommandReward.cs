using System.Text.Json;

namespace DeRa.Lab.Rewards;

/// <summary>
/// Scores by an external program, which is started at the first call and kept running: it receives a JSON line for each completion,
/// {"prompt", "completion", "tokens", "finished"}, and replies to each with a line, 0.5 or {"score": 0.5}, in the same order.
/// </summary>
/// <remarks>After an error or a cancellation it is unknown which reply is next: the program is killed and the reward unusable.</remarks>
internal sealed class CommandReward : IReward
{
    private static readonly TimeSpan ExitGrace = TimeSpan.FromSeconds(5);

    private readonly IReadOnlyList<string> _words;
    private readonly TimeSpan _timeout;
    private ScorerProcess? _process;
    private bool _ended;

    /// <param name="command">Program and arguments; see <see cref="CommandLineWords"/>.</param>
    /// <param name="timeout">The longest wait for one line.</param>
    public CommandReward(string command, TimeSpan timeout)
    {
        Name = "command:" + command;
        _words = CommandLineWords.Split(command);
        _timeout = timeout;
    }

    public string Name { get; }

    public async ValueTask<IReadOnlyList<double>> ScoreAsync(IReadOnlyList<Completion> completions, CancellationToken cancellationToken)
    {
        if (_ended) throw new RewardException("reward command: it was stopped before, after an error or a cancellation");
        try
        {
            _process ??= new ScorerProcess(_words);
            return await ExchangeAsync(_process, completions, cancellationToken);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        _ended = true;
        _process?.Dispose();
        _process = null;
    }

    private async Task<double[]> ExchangeAsync(
        ScorerProcess process, IReadOnlyList<Completion> completions, CancellationToken cancellationToken)
    {
        if (process.Output.TryRead(out var surplus))
            throw new RewardException($"reward command: it wrote more lines than it was sent completions: {Quote(surplus)}");
        var lines = completions.Select(completion => JsonSerializer.Serialize(ScoreLine.Of(completion)));
        var sending = process.SendAsync(lines, cancellationToken);
        var scores = new double[completions.Count];
        for (var i = 0; i < scores.Length; i++)
        {
            var line = await ReadLineAsync(process, $"{i} of {scores.Length} scores", cancellationToken);
            scores[i] = ScoreLine.Read(line) ?? throw new RewardException(
                $"reward command: {Quote(line)} is neither a finite number nor {{\"score\": number}}{process.LastErrors()}");
        }
        await sending;
        return scores;
    }

    private async Task<string> ReadLineAsync(ScorerProcess process, string progress, CancellationToken cancellationToken)
    {
        try
        {
            if (await process.Output.WaitToReadAsync(cancellationToken).AsTask().WaitAsync(_timeout, cancellationToken)
                && process.Output.TryRead(out var line))
                return line;
        }
        catch (TimeoutException exception)
        {
            throw new RewardException(
                $"reward command: after {progress} no line came for {_timeout.TotalSeconds} s{process.LastErrors()}", exception);
        }
        throw new RewardException($"reward command: after {progress} {await process.DescribeEndAsync(ExitGrace)}");
    }

    private static string Quote(string line) => line.Length <= 80 ? $"'{line}'" : $"'{line[..80]}…'";
}
