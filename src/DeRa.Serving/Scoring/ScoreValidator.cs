using DeRa.Engine.Requests;
using DeRa.Serving.Requests;
using DeRa.Text;

namespace DeRa.Serving.Scoring;

/// <summary>Checks and encodes requests to score. Immutable; any thread.</summary>
/// <param name="tokenizer">The pair's tokenizer.</param>
/// <param name="context">What the ranges of fields depend on.</param>
public sealed class ScoreValidator(ITokenizer tokenizer, FieldContext context)
{
    private static readonly string SweepField = RealignmentFields.ScoredStrengths.Name, ItemsField = RealignmentFields.Items.Name;

    /// <summary>Scored tokens times strengths of a request at most: they are held until the response is written.</summary>
    public const int MaxScores = 4_000_000;

    private readonly StrengthFields _strengths = new(context);
    private readonly PromptEncoder _prompts = new(tokenizer, context.Defaults.ChatTemplate, context.Capacity.VocabularySize);

    /// <summary>Checks and encodes a request.</summary>
    /// <exception cref="InvalidRequestException">A field is out of range; the exception names it and the range.</exception>
    public PreparedScores Prepare(ScoreInput input)
    {
        _strengths.OfModel(input.Model);
        CheckCount(SweepField, input.Sweep.Count, RealignmentFields.MaxScoredStrengths, "strengths");
        CheckCount(ItemsField, input.Items.Count, context.Limits.MaxPrompts, "items");
        AlignmentStrengths[] strengths = [.. input.Sweep.Select(strength => strength.Named is { } named
            ? _strengths.Named(named, strength.Field) : _strengths.Sent(strength.First, strength.Field, null)!)];
        var all = EveryModel();
        var prepared = new PreparedScores(input.Sweep, strengths, [.. input.Items.Select(item => Request(input, item, strengths, all))])
        {
            Model = string.IsNullOrEmpty(input.Model) ? context.Names.Pair : input.Model,
            Deadline = context.Deadline(input.TimeoutSeconds),
        };
        if (prepared.ScoreCount > MaxScores)
            throw new InvalidRequestException(SweepField,
                $"'{SweepField}' and '{ItemsField}' make {prepared.ScoreCount} scores, one for each scored token and strength; "
                + $"at most {MaxScores} are allowed.");
        return prepared;
    }

    private GenerationRequest Request(ScoreInput input, ScoreItem item, AlignmentStrengths[] strengths, AlignmentStrengths all)
    {
        var (tokens, first) = Tokens(item);
        var most = Math.Min(context.Capacity.ContextTokens, (long)context.Capacity.BlockCount * context.Capacity.BlockTokens);
        if (tokens.Count > most)
            throw new InvalidRequestException(item.Field,
                $"'{item.Field}' has {tokens.Count} tokens; the context and the cache hold {most}.",
                InvalidRequestException.ContextLengthExceeded);
        return first == tokens.Count
            ? throw new InvalidRequestException(item.Field, $"'{item.Field}' has no token after its prompt; at least one is scored.")
            : new GenerationRequest
            {
                PromptTokens = tokens,
                Strengths = all,
                MaxTokens = 0,
                Seed = 0,
                Scoring = new PromptScoring(first, strengths),
                CacheSalt = input.CacheSalt,
            };
    }

    /// <summary>All tokens of an item, and the first that is scored: the first that its prompt alone does not have.</summary>
    private (IReadOnlyList<int> Tokens, int First) Tokens(ScoreItem item)
    {
        if (item.Prompt is ChatPrompt chat) return LastMessage(chat);
        var prompt = item.Prompt is TextPrompt { Text: "" } ? _prompts.Tokenize(item.Prompt, null, false) : _prompts.Encode(item.Prompt);
        if (item.Prompt is TextPrompt before && item.Continuation is TextPrompt after)
            return After(prompt, _prompts.Encode(new TextPrompt(before.Text + after.Text, item.Field)), item.Field);
        var continuation = item.Continuation is TextPrompt text ? _prompts.Tokenize(text, addSpecialTokens: false, parseSpecial: false)
            : _prompts.Encode(item.Continuation!);
        return After(prompt, [.. prompt, .. continuation], item.Field);
    }

    private (IReadOnlyList<int> Tokens, int First) LastMessage(ChatPrompt chat)
    {
        if (chat.Messages is not [.., { Role: "assistant" }] || chat.Messages.Count < 2)
            throw new InvalidRequestException(chat.Field,
                $"'{chat.Field}' must end with a message of the assistant, which is scored, after at least one other.");
        var prompt = _prompts.Encode(chat with { Messages = [.. chat.Messages.SkipLast(1)], AddGenerationPrompt = true });
        return After(prompt, _prompts.Encode(chat with { ContinueFinalMessage = true }), chat.Field);
    }

    private static (IReadOnlyList<int> Tokens, int First) After(IReadOnlyList<int> prompt, IReadOnlyList<int> whole, string field)
    {
        var first = 0;
        while (first < prompt.Count && first < whole.Count && prompt[first] == whole[first]) first++;
        return first > 0 ? (whole, first) : throw new InvalidRequestException(field,
            $"'{field}' has no token before what is scored; a prompt of at least one is needed, since nothing predicts the first token.");
    }

    /// <summary>A mixture in which every model weighs something: all of them run.</summary>
    private AlignmentStrengths EveryModel()
    {
        var aligned = context.Names.Aligned.Count;
        return new AlignmentStrengths([.. Enumerable.Repeat(1.0 / (aligned + 1), aligned)]);
    }

    private static void CheckCount(string field, int count, int most, string what)
    {
        if (count == 0) throw new InvalidRequestException(field, $"'{field}' is empty; it must have 1 to {most} {what}.");
        FieldCount.Check(field, count, most, what);
    }
}
