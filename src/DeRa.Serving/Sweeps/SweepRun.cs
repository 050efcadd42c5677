using System.Runtime.CompilerServices;
using DeRa.Serving.Requests;
using DeRa.Serving.Rewards;

namespace DeRa.Serving.Sweeps;

/// <summary>Generates and scores completions of prompts at some strengths, a few prompts at once.</summary>
/// <param name="endpoint">What generates.</param>
/// <param name="rewards">What scores; not disposed.</param>
/// <param name="settings">What is generated.</param>
/// <param name="failed">Receives the reward's error where a completion has no score; any thread.</param>
public sealed class SweepRun(ISweepEndpoint endpoint, IReadOnlyList<IReward> rewards, SweepSettings settings, Action<string> failed)
{
    /// <summary>Strengths of one request at most.</summary>
    public const int MaxStrengths = 32;

    /// <summary>Completions of one request at most, which every server takes.</summary>
    private const int MaxChoices = 128;

    private const int ChoicesAtOnce = 256, MaxUnitsAtOnce = 16;

    /// <summary>Runs units; what still runs when the reader leaves is cancelled.</summary>
    /// <param name="prompts">All prompts.</param>
    /// <param name="units">What runs, in order.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>The rows of each unit, in order: strength by strength, of each its samples.</returns>
    /// <exception cref="FormatException">A prompt cannot be run; the message says which and why.</exception>
    public async IAsyncEnumerable<IReadOnlyList<SweepRow>> RunAsync(
        IReadOnlyList<SweepPrompt> prompts, IEnumerable<SweepUnit> units, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var running = new Queue<Task<IReadOnlyList<SweepRow>>>();
        try
        {
            foreach (var unit in units)
            {
                if (running.Count == UnitsAtOnce(unit)) yield return await Next();
                running.Enqueue(RowsAsync(prompts[unit.PromptIndex], unit, stop.Token));
            }
            while (running.Count > 0) yield return await Next();
        }
        finally
        {
            await stop.CancelAsync();
            await Task.WhenAll(running).ContinueWith(_ => { }, TaskScheduler.Default);
        }

        Task<IReadOnlyList<SweepRow>> Next()
        {
            // Units that have run ahead are not handed out after it.
            cancellation.ThrowIfCancellationRequested();
            return running.Dequeue();
        }
    }

    private int UnitsAtOnce(SweepUnit unit) =>
        Math.Clamp(ChoicesAtOnce / (unit.Strengths.Count * settings.Samples), 2, MaxUnitsAtOnce);

    private async Task<IReadOnlyList<SweepRow>> RowsAsync(SweepPrompt prompt, SweepUnit unit, CancellationToken cancellation)
    {
        try
        {
            var seed = settings.Seed + unit.PromptIndex;
            var texts = new List<GeneratedText>();
            foreach (var strengths in unit.Strengths.Chunk(Math.Clamp(MaxChoices / settings.Samples, 1, MaxStrengths)))
                texts.AddRange(await endpoint.GenerateAsync(prompt, seed, strengths, settings.Samples, cancellation));
            var turns = await new FurtherTurns(endpoint, failed).RespondAsync(prompt, [.. texts.Select((text, i) => new FirstResponse(
                text.Text, unit.Strengths[i / settings.Samples], FurtherTurns.Seed(seed, i % settings.Samples)))], cancellation);
            var scored = await ScoredAsync(unit, texts, cancellation);
            var scores = await ScoresAsync(prompt, texts, cancellation);
            return [.. texts.Select((text, i) => new SweepRow
            {
                PromptIndex = unit.PromptIndex,
                Prompt = prompt.Text,
                Strength = unit.Strengths[i / settings.Samples],
                Sample = i % settings.Samples,
                Seed = seed,
                Completion = text.Text,
                FurtherTurns = turns[i],
                Tokens = text.Length,
                IsFinished = text.IsFinished,
                Kl = scored[i].KlToReference,
                LogProbs = scored[i].LogProbs,
                Rewards = [.. scores.Select(own => own[i].Value)],
            })];
        }
        catch (InvalidRequestException wrong)
        {
            throw new FormatException($"{prompt.Place}: {wrong.Message}", wrong);
        }
    }

    private async Task<List<ScoredText>> ScoredAsync(SweepUnit unit, List<GeneratedText> texts, CancellationToken cancellation)
    {
        var scored = new List<ScoredText>();
        foreach (var (strength, own) in unit.Strengths.Zip(texts.Chunk(settings.Samples)))
        {
            var scores = await endpoint.ScoreAsync([.. own.Select(text => text.Tokens)], strength, cancellation);
            // The reference's distance from itself, without what rounding makes of it.
            scored.AddRange(strength == 0 ? scores.Select(score => score with { KlToReference = 0 }) : scores);
        }
        return scored;
    }

    private async Task<List<IReadOnlyList<RewardScore>>> ScoresAsync(
        SweepPrompt prompt, List<GeneratedText> texts, CancellationToken cancellation)
    {
        Completion[] completions = [.. texts.Select(text => new Completion(prompt.Text, text.Text, text.Length, text.IsFinished)
        {
            Item = prompt.Item,
            Sequence = text.Tokens,
        })];
        var scores = new List<IReadOnlyList<RewardScore>>();
        foreach (var reward in rewards)
        {
            var own = await reward.ScoreAsync(completions, cancellation);
            foreach (var score in own)
                if (score.Error is { } error) failed(error);
            scores.Add(own);
        }
        return scores;
    }
}
