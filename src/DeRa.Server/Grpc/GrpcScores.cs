using DeRa.Protos.V1;
using DeRa.Serving.Requests;
using DeRa.Serving.Scoring;
using ItemScores = DeRa.Protos.V1.ItemScores;
using ScoredItem = DeRa.Serving.Scoring.ItemScores;
using ScoreItem = DeRa.Protos.V1.ScoreItem;

namespace DeRa.Server.Grpc;

/// <summary>Reads requests of <c>Score</c> and makes its responses; nothing is checked here that the validator checks.</summary>
internal static class GrpcScores
{
    /// <summary>Reads a request.</summary>
    /// <exception cref="InvalidRequestException">A part is missing.</exception>
    public static ScoreInput Read(ScoreRequest request) => new()
    {
        Model = request.HasModel ? request.Model : null,
        Items = [.. request.Items.Select((item, i) => Item(item, $"items[{i}]"))],
        Sweep = [.. request.AlignmentSweep.Select((strength, i) => Strength(strength, $"alignment_sweep[{i}]"))],
        CacheSalt = request.HasCacheSalt ? request.CacheSalt : null,
    };

    /// <summary>Makes the response.</summary>
    /// <param name="prepared">What was asked for.</param>
    /// <param name="items">Their scores.</param>
    /// <param name="aligned">The aligned models' names.</param>
    /// <param name="perToken">Whether each token is told.</param>
    public static ScoreResponse Response(
        PreparedScores prepared, IReadOnlyList<ScoredItem> items, IReadOnlyList<string> aligned, bool perToken)
    {
        var response = new ScoreResponse { PromptTokens = prepared.TokenCount };
        response.Items.AddRange(items.Select(item => Item(prepared, item, aligned, perToken)));
        return response;
    }

    private static Serving.Scoring.ScoreItem Item(ScoreItem item, string field)
    {
        var prompt = GrpcRequestReader.ReadPrompt(item.Prompt, $"{field}.prompt");
        PromptInput? continuation = item.ContinuationCase switch
        {
            ScoreItem.ContinuationOneofCase.Text => new TextPrompt(item.Text, $"{field}.text"),
            ScoreItem.ContinuationOneofCase.TokenIds => new TokenPrompt(item.TokenIds.Ids, $"{field}.token_ids"),
            _ => null,
        };
        if (prompt is ChatPrompt != continuation is null)
            throw new InvalidRequestException($"{field}.text", prompt is ChatPrompt
                ? $"'{field}' has a continuation beside its conversation, whose last message is what is scored; leave it out."
                : $"'{field}' has no continuation: set its text or token_ids.");
        return new Serving.Scoring.ScoreItem(prompt, continuation, field);
    }

    private static SweepStrength Strength(ScoredStrength strength, string field)
    {
        if (strength.HasAlignmentStrength == strength.AlignmentStrengths.Count > 0)
            throw new InvalidRequestException(field,
                $"'{field}' must have either its alignment_strength or its alignment_strengths set.");
        return strength.HasAlignmentStrength ? new SweepStrength(strength.AlignmentStrength, null, $"{field}.alignment_strength")
            : new SweepStrength(null, strength.AlignmentStrengths, $"{field}.alignment_strengths");
    }

    private static ItemScores Item(PreparedScores prepared, ScoredItem item, IReadOnlyList<string> aligned, bool perToken)
    {
        var message = new ItemScores { Tokens = item.Tokens.Count, LogprobReference = item.LogProbOfModel(0) };
        for (var i = 0; i < aligned.Count; i++) message.LogprobAligned.Add(aligned[i], item.LogProbOfModel(i + 1));
        for (var i = 0; i < prepared.Strengths.Count; i++)
        {
            var score = new StrengthScore
            {
                Logprob = item.LogProb(i),
                Perplexity = item.Perplexity(i),
                KlToReference = item.KlToReference(i),
            };
            for (var model = 0; model < aligned.Count; model++)
                score.AlignmentStrengths.Add(aligned[model], prepared.Strengths[i][model]);
            var strength = i;
            if (perToken) score.TokenLogprobs.AddRange(item.Tokens.Select(token => token.LogProbs[strength]));
            message.Scores.Add(score);
        }
        if (perToken) message.TokenIds.AddRange(item.Tokens.Select(token => token.Token));
        return message;
    }
}
