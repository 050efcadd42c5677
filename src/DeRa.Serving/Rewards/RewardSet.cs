using System.Runtime.CompilerServices;
using DeRa.Engine.Requests;
using DeRa.Serving.Requests;
using DeRa.Serving.Streaming;

namespace DeRa.Serving.Rewards;

/// <summary>The rewards that a server has by name, and the scores of what it generates. Any thread.</summary>
public sealed class RewardSet : IDisposable
{
    private readonly ServedPair _pair;
    private readonly Action<string, string> _failed;
    private readonly Dictionary<string, IReward> _rewards = [];

    /// <param name="entries">What they are.</param>
    /// <param name="pair">What generates; not disposed.</param>
    /// <param name="failed">Receives the name and the error where a choice has no score.</param>
    /// <param name="errorLine">Receives the name and each line that its program writes to standard error.</param>
    /// <exception cref="RewardException">One cannot be made.</exception>
    public RewardSet(
        IReadOnlyList<RewardEntry> entries, ServedPair pair, Action<string, string> failed, Action<string, string> errorLine)
    {
        (_pair, _failed) = (pair, failed);
        if (!entries.Select(entry => entry.Name).SequenceEqual(pair.Names.Rewards))
            throw new RewardException("rewards: the file has changed while the models were loaded");
        try
        {
            foreach (var (name, specification, settings) in entries)
                _rewards.Add(name, RewardSpec.Parse(
                    specification, settings with { Pair = pair, ErrorLine = line => errorLine(name, line) }));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Scores the choices of a generation, where its request asks for it.</summary>
    /// <param name="request">The request.</param>
    /// <param name="choices">Those that come back, by index; they receive the scores.</param>
    /// <param name="cancellation">The client went away.</param>
    public async Task ScoreAsync(PreparedRequest request, IReadOnlyList<WholeChoice> choices, CancellationToken cancellation)
    {
        if (request.Rewards.Count == 0) return;
        Completion[] completions = [.. choices.Select((choice, index) => Describe(request, index, choice))];
        var scores = await Task.WhenAll(request.Rewards.Select(name => _rewards[name].ScoreAsync(completions, cancellation).AsTask()));
        for (var i = 0; i < choices.Count; i++)
            choices[i].Rewards = [.. request.Rewards.Zip(scores, (name, own) => (name, Show(name, own[i])))];
    }

    /// <summary>Adds scores to the last piece of each choice, where the request asks for it; pieces after it wait for them.</summary>
    /// <param name="request">The request.</param>
    /// <param name="pieces">What is generated.</param>
    /// <param name="cancellation">The client went away.</param>
    public IAsyncEnumerable<ChoiceDelta> AddToAsync(
        PreparedRequest request, IAsyncEnumerable<ChoiceDelta> pieces, CancellationToken cancellation) =>
        request.Rewards.Count == 0 ? pieces : ScoredAsync(request, pieces, cancellation);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var reward in _rewards.Values) reward.Dispose();
    }

    private async IAsyncEnumerable<ChoiceDelta> ScoredAsync(
        PreparedRequest request, IAsyncEnumerable<ChoiceDelta> pieces, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var choices = Array.ConvertAll([.. request.Choices], _ => new WholeChoice());
        await foreach (var piece in pieces.WithCancellation(cancellation))
        {
            choices[piece.Index].Add(piece);
            if (piece.FinishReason is null)
            {
                yield return piece;
                continue;
            }
            var completion = Describe(request, piece.Index, choices[piece.Index]);
            var scores = await Task.WhenAll(request.Rewards.Select(async name =>
                (name, Show(name, (await _rewards[name].ScoreAsync([completion], cancellation))[0]))));
            yield return piece with { Rewards = scores };
        }
    }

    private double? Show(string name, RewardScore score)
    {
        if (score.Error is { } error) _failed(name, error);
        return score.Value;
    }

    /// <param name="request">The request, which does not echo prompts.</param>
    /// <param name="index">The choice's index in the response.</param>
    /// <param name="choice">What was generated.</param>
    private Completion Describe(PreparedRequest request, int index, WholeChoice choice)
    {
        var own = request.Choices[index / request.Returned * request.Candidates].Request;
        var isFinished = choice.FinishReason == FinishReason.Stop;
        var hasEndToken = isFinished && choice.StopString is null;
        return new Completion(_pair.Tokenizer.Decode(own.PromptTokens), choice.Text,
            choice.Tokens.Count - (hasEndToken && choice.Tokens.Count > 0 ? 1 : 0), isFinished)
        {
            Sequence = new CompletionTokens(own.PromptTokens, [.. choice.Tokens.Select(token => token.Token)])
            {
                Client = own.Client,
                CacheSalt = own.CacheSalt,
            },
        };
    }
}
