using System.Runtime.InteropServices;
using DeRa.Text;
using DeRa.Text.Loading;
using DeRa.Torch.Execution;
using DeRa.Torch.Native;
using DeRa.Torch.Weights;

namespace DeRa.Serving.Rewards;

/// <summary>
/// Scores by a sequence-classification model of one label, of prompt and completion as one text by its own tokenizer. It runs on the CPU,
/// one call at a time.
/// </summary>
internal sealed class ModelReward : IReward
{
    private readonly SemaphoreSlim _turn = new(1);
    private readonly SequenceClassifier _model;
    private readonly ITokenizer _tokenizer;

    /// <param name="folder">A Hugging Face model folder.</param>
    /// <exception cref="RewardException">It cannot be loaded.</exception>
    public ModelReward(string folder)
    {
        Name = "model:" + folder;
        try
        {
            _tokenizer = TokenizerLoader.Load(folder);
            _model = SequenceClassifier.Load(folder, DeviceOption.Parse("cpu"), new NumberOptions());
        }
        catch (Exception exception) when (exception is CheckpointException or TokenizerException or LibTorchException)
        {
            throw new RewardException($"reward model: {exception.Message}", exception);
        }
    }

    public string Name { get; }

    public async ValueTask<IReadOnlyList<RewardScore>> ScoreAsync(
        IReadOnlyList<Completion> completions, CancellationToken cancellation)
    {
        await _turn.WaitAsync(cancellation);
        try
        {
            return await Task.Run(() => Score(completions, cancellation), cancellation);
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose()
    {
        _model.Dispose();
        _turn.Dispose();
    }

    private RewardScore[] Score(IReadOnlyList<Completion> completions, CancellationToken cancellation)
    {
        var scores = new RewardScore[completions.Count];
        var (sequences, places) = (new List<int[]>(), new List<int>());
        for (var i = 0; i < scores.Length; i++)
        {
            if (Encode(completions[i], out var tokens) is { } error)
            {
                scores[i] = RewardScore.Failed($"reward model: {error}");
                continue;
            }
            sequences.Add(tokens);
            places.Add(i);
        }
        try
        {
            foreach (var (place, score) in places.Zip(_model.Score(sequences, cancellation))) scores[place] = RewardScore.Of(score);
        }
        catch (ExternalException exception)
        {
            // An error of libtorch; its stack trace follows the first line.
            foreach (var place in places) scores[place] = RewardScore.Failed($"reward model: {exception.Message.Split('\n')[0]}");
        }
        return scores;
    }

    /// <returns>Why it cannot be scored; null where it can.</returns>
    private string? Encode(Completion completion, out int[] tokens)
    {
        tokens = [];
        try
        {
            tokens = [.. _tokenizer.Encode(completion.Prompt + completion.Text)];
        }
        catch (TokenizerException exception)
        {
            return $"the text cannot be encoded: {exception.Message}";
        }
        if (tokens.Length == 0) return "prompt and completion are empty";
        if (tokens.Length > _model.ContextTokens)
            return $"prompt and completion have {tokens.Length} tokens; the reward model's context allows 1 to {_model.ContextTokens}";
        return tokens.Max() >= _model.VocabularySize
            ? $"the tokenizer gives the id {tokens.Max()}; the model's ids run from 0 to {_model.VocabularySize - 1}" : null;
    }
}
