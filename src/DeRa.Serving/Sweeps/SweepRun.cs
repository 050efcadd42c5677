using System.Runtime.CompilerServices;
using DeRa.Serving.Requests;
using DeRa.Serving.Rewards;

namespace DeRa.Serving.Sweeps;

/// <summary>Generates and scores the completions of prompts at all strengths, a few prompts at once.</summary>
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

    private const int ChoicesAtOnce = 256, MaxPromptsAtOnce = 16;

    /// <summary>Runs prompts; what still runs when the reader leaves is cancelled.</summary>
    /// <param name="prompts">All prompts.</param>
    /// <param name="first">The first that runs; those before it are done.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>The rows of each prompt, prompts in order: strength by strength, of each its samples.</returns>
    /// <exception cref="FormatException">A prompt cannot be run; the message says which and why.</exception>
    public async IAsyncEnumerable<IReadOnlyList<SweepRow>> RunAsync(
        IReadOnlyList<SweepPrompt> prompts, int first, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var atOnce = Math.Clamp(ChoicesAtOnce / settings.Choices, 2, MaxPromptsAtOnce);
        var running = new Queue<Task<IReadOnlyList<SweepRow>>>();
        try
        {
            for (var index = first; index < prompts.Count; index++)
            {
                if (running.Count == atOnce) yield return await running.Dequeue();
                running.Enqueue(RowsAsync(prompts[index], index, stop.Token));
            }
            while (running.Count > 0) yield return await running.Dequeue();
        }
        finally
        {
            await stop.CancelAsync();
            await Task.WhenAll(running).ContinueWith(_ => { }, TaskScheduler.Default);
        }
    }

    private async Task<IReadOnlyList<SweepRow>> RowsAsync(SweepPrompt prompt, int index, CancellationToken cancellation)
    {
        try
        {
            var seed = settings.Seed + index;
            var texts = new List<GeneratedText>();
            foreach (var strengths in settings.Strengths.Chunk(Math.Clamp(MaxChoices / settings.Samples, 1, MaxStrengths)))
                texts.AddRange(await endpoint.GenerateAsync(prompt, seed, strengths, cancellation));
            var scored = await ScoredAsync(texts, cancellation);
            var scores = await ScoresAsync(prompt, texts, cancellation);
            return [.. texts.Select((text, i) => new SweepRow
            {
                PromptIndex = index,
                Prompt = prompt.Text,
                Strength = settings.Strengths[i / settings.Samples],
                Sample = i % settings.Samples,
                Seed = seed,
                Completion = text.Text,
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

    private async Task<List<ScoredText>> ScoredAsync(List<GeneratedText> texts, CancellationToken cancellation)
    {
        var scored = new List<ScoredText>();
        foreach (var (strength, own) in settings.Strengths.Zip(texts.Chunk(settings.Samples)))
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
