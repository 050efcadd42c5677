using System.Text;
using DeRa.Engine.Requests;
using DeRa.Serving.Requests;
using DeRa.Text;

namespace DeRa.Serving.Streaming;

/// <summary>
/// Turns one choice's tokens into pieces of certain text: decodes, holds back what may begin a stop string, and holds each
/// token back until its text is out, so that text and tokens of a response always agree. One thread at a time.
/// </summary>
internal sealed class ChoiceText(PreparedChoice choice, ITokenizer tokenizer)
{
    private readonly StreamingDecoder _decoder =
        tokenizer.CreateDecoder(continuesText: choice.ContinuesPrompt && !choice.Echo, choice.SkipsSpecialTokens);

    private readonly StopStringMatcher _stops = new(choice.StopStrings, choice.IncludesStop);
    private readonly MeasureSums? _measures = choice.Request.Measures is null ? null : new MeasureSums(choice.WeightFault);
    private readonly Queue<(OutputToken Token, StreamPosition Place)> _held = new();
    // In characters (Unicode scalar values), as clients in every language count them.
    private int _decodedLength;
    private int _releasedLength;
    private int _outputTokens;
    private int _lastToken;

    /// <summary>The stop string that was met; nothing more comes out after it.</summary>
    public string? StopString => _stops.Matched;

    /// <summary>The echoed prompt, as one piece.</summary>
    /// <param name="scores">One for each prompt token but the first; null where none were asked for.</param>
    public ChoiceDelta Echo(IReadOnlyList<TokenLogProbs>? scores)
    {
        var prompt = choice.Request.PromptTokens;
        var text = new StringBuilder();
        for (var i = 0; i < prompt.Count; i++)
        {
            Hold(new OutputToken(prompt[i], _decodedLength, true, i == 0 ? null : EchoedScore(scores?[i - 1])));
            text.Append(Decoded(_decoder.Append(prompt[i])));
        }
        return Release(text.ToString());
    }

    /// <summary>Takes a generated token; the piece may be empty.</summary>
    public ChoiceDelta Append(TokenGenerated generated)
    {
        _outputTokens++;
        _lastToken = generated.Token;
        Hold(new OutputToken(generated.Token, _decodedLength, false, generated.LogProbs) { Measures = generated.Measures });
        return Release(IsSilent(generated.Token) ? "" : Searched(generated.Token));
    }

    /// <summary>The last piece: all that was held back, unless a stop string ended the text.</summary>
    public ChoiceDelta Finish(FinishReason reason)
    {
        var text = StopString is null ? _stops.Append(Decoded(_decoder.Finish()), StringsStop) + _stops.Finish() : "";
        var delta = Release(text);
        if (StopString is not null)
            return delta with { FinishReason = FinishReason.Stop, StopString = StopString, Measures = _measures?.Finish("stop") };
        OutputToken[] held = [.. _held.Select(held => held.Token)];
        _measures?.Add(held);
        return delta with
        {
            Tokens = [.. delta.Tokens, .. held],
            FinishReason = reason,
            StopToken = StopToken(reason),
            Measures = _measures?.Finish(EndedBy(reason)),
        };
    }

    /// <summary>Other strengths hold for tokens that follow.</summary>
    public ChoiceDelta ChangeStrengths(AlignmentStrengths strengths)
    {
        _measures?.ChangeStrengths();
        return new ChoiceDelta(choice.Index, "", [], Strengths: strengths);
    }

    /// <summary>What ended the text other than an end-of-sequence token; null where one did.</summary>
    private string? EndedBy(FinishReason reason) => reason switch
    {
        FinishReason.Length => "length",
        FinishReason.Cancelled => "cancelled",
        _ => StopToken(reason) is null ? null : "stop_token_ids",
    };

    private bool StringsStop => _outputTokens > choice.Request.Sampling.MinTokens;

    private int? StopToken(FinishReason reason) =>
        reason == FinishReason.Stop && choice.NamedStopTokens.Contains(_lastToken) ? _lastToken : null;

    /// <summary>A stop token ends the text and is no part of it.</summary>
    private bool IsSilent(int token) => !choice.IncludesStop && choice.Request.StopTokens.Contains(token);

    /// <summary>
    /// The text by which a stop string may name a special token that adds nothing to the visible text; null for other tokens, and
    /// for those that end the text by themselves.
    /// </summary>
    private string? HiddenText(int token) =>
        choice.SkipsSpecialTokens && tokenizer.IsSpecial(token) && !choice.Request.StopTokens.Contains(token)
        && tokenizer.GetToken(token) is { Length: > 0 } hidden ? hidden : null;

    /// <summary>What is certain once the token was searched for stop strings.</summary>
    private string Searched(int token)
    {
        var text = _stops.Append(Decoded(_decoder.Append(token)), StringsStop);
        return HiddenText(token) is { } hidden ? text + _stops.AppendHidden(hidden, StringsStop) : text;
    }

    private void Hold(OutputToken token) => _held.Enqueue((token, _stops.End));

    private TokenLogProbs? EchoedScore(TokenLogProbs? score) => choice.EchoLogProbs is not { } alternatives ? null
        : score is null || score.Top.Count <= alternatives ? score : score with { Top = [.. score.Top.Take(alternatives)] };

    private string Decoded(string text)
    {
        _decodedLength += Characters(text);
        return text;
    }

    /// <summary>Lets text out, and with it every token that begins before its end.</summary>
    private ChoiceDelta Release(string text)
    {
        _releasedLength += Characters(text);
        var tokens = new List<OutputToken>();
        while (_held.TryPeek(out var next) && (next.Token.TextOffset < _releasedLength || HoldsNothing(next.Token, next.Place)))
        {
            _held.Dequeue();
            tokens.Add(_stops.ShownFrom is { } shown && next.Place.Expanded > shown.Expanded
                ? next.Token with { TextOffset = next.Token.TextOffset + next.Place.Hidden - shown.Hidden } : next.Token);
        }
        _measures?.Add(tokens);
        return new ChoiceDelta(choice.Index, text, tokens);
    }

    private static int Characters(string text) => text.EnumerateRunes().Count();

    /// <summary>A token without text of its own is out with what stands before it, once nothing of that is held back.</summary>
    private bool HoldsNothing(OutputToken token, StreamPosition place)
    {
        if (!token.IsPrompt && HiddenText(token.Token) is not null) return place.Expanded < _stops.Certain.Expanded;
        return StopString is null && _decodedLength == _releasedLength
            && (token is { IsPrompt: false } && IsSilent(token.Token)
                || (tokenizer.IsSpecial(token.Token) ? choice.SkipsSpecialTokens : tokenizer.GetBytes(token.Token).IsEmpty));
    }
}
