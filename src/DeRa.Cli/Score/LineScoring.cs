using System.Runtime.CompilerServices;
using DeRa.Serving.Requests;
using DeRa.Serving.Scoring;

namespace DeRa.Cli.Score;

/// <summary>Scores the lines of a file, several at once, and gives them in their order.</summary>
/// <param name="scoring">What scores.</param>
/// <param name="sweep">The strengths.</param>
/// <param name="path">The file, for errors.</param>
internal sealed class LineScoring(ScoringService scoring, IReadOnlyList<SweepStrength> sweep, string path)
{
    private const int MostLines = 16;

    /// <summary>Tokens of lines that run at once, which the engine's queue must hold; one line alone may have more.</summary>
    private const int MostTokens = 1 << 20;

    /// <summary>Checks and encodes a line.</summary>
    /// <exception cref="FormatException">It cannot be scored; the message names file and line.</exception>
    public PreparedScores Prepare(ScoreLine line)
    {
        try
        {
            return scoring.Prepare(new ScoreInput { Items = line.Items, Sweep = sweep });
        }
        catch (InvalidRequestException wrong)
        {
            throw new FormatException($"{path}:{line.Number}: {wrong.Message}", wrong);
        }
    }

    /// <summary>Scores lines; what still runs when the reader leaves is cancelled.</summary>
    /// <exception cref="FormatException">A line cannot be scored.</exception>
    public async IAsyncEnumerable<ScoredLine> RunAsync(
        IEnumerable<ScoreLine> lines, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var running = new Queue<(ScoreLine Line, PreparedScores Prepared, Task<IReadOnlyList<ItemScores>> Scores)>();
        try
        {
            foreach (var line in lines)
            {
                var prepared = Prepare(line);
                while (running.Count == MostLines
                    || (running.Count > 0 && running.Sum(one => one.Prepared.TokenCount) + prepared.TokenCount > MostTokens))
                    yield return await NextAsync();
                running.Enqueue((line, prepared, scoring.RunAsync(prepared, stop.Token)));
            }
            while (running.Count > 0) yield return await NextAsync();
        }
        finally
        {
            await stop.CancelAsync();
            await Task.WhenAll(running.Select(one => one.Scores)).ContinueWith(_ => { }, TaskScheduler.Default);
        }

        async Task<ScoredLine> NextAsync()
        {
            var (line, prepared, scores) = running.Dequeue();
            return new ScoredLine(line.Number, prepared, await scores);
        }
    }
}

/// <summary>The scores of a line.</summary>
/// <param name="Number">The line, from 1.</param>
/// <param name="Prepared">What was asked for.</param>
/// <param name="Items">The scores of each of its texts.</param>
internal sealed record ScoredLine(int Number, PreparedScores Prepared, IReadOnlyList<ItemScores> Items);
