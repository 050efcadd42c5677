using DeRa.Engine.Requests;
using DeRa.Engine.Streaming;
using DeRa.Engine.Text;
using DeRa.Protos.V1;
using DeRa.Server.Answers;
using Google.Protobuf;
using FinishReason = DeRa.Protos.V1.FinishReason;
using Usage = DeRa.Protos.V1.Usage;

namespace DeRa.Server.Grpc;

/// <summary>Turns what was generated into gRPC messages.</summary>
/// <param name="tokenizer">The pair's tokenizer.</param>
/// <param name="aligned">The aligned models' names.</param>
internal sealed class GrpcAnswers(ITokenizer tokenizer, IReadOnlyList<string> aligned)
{
    /// <summary>The event that begins a stream.</summary>
    public GenerateStreamResponse Started(PreparedRequest request)
    {
        var started = new Started { Model = request.Model, Seed = request.Seed, PromptTokens = request.PromptTokens };
        var strengths = new StrengthsInForce(request.Strengths, aligned);
        if (strengths.Single is { } strength) started.AlignmentStrength = strength;
        foreach (var (name, own) in strengths.ByName ?? []) started.AlignmentStrengths.Add(name, own);
        return new GenerateStreamResponse { Started = started };
    }

    /// <summary>The events of one piece: its text, then its choice's end where that is the piece's.</summary>
    public IEnumerable<GenerateStreamResponse> Events(ChoiceDelta piece, Generation generation)
    {
        if (piece.Text.Length > 0 || piece.Tokens.Count > 0) yield return new GenerateStreamResponse { Delta = Delta(piece) };
        if (piece.FinishReason is not { } reason) yield break;
        var finished = new Finished { Index = piece.Index, FinishReason = Reason(reason), Usage = UsageOf(generation) };
        if (piece.StopString is { } stop) finished.Stop = stop;
        yield return new GenerateStreamResponse { Finished = finished };
    }

    /// <summary>The whole answer.</summary>
    public GenerateResponse Whole(IReadOnlyList<WholeChoice> choices, Generation generation)
    {
        var response = new GenerateResponse
        {
            Model = generation.Request.Model,
            Seed = generation.Request.Seed,
            Usage = UsageOf(generation),
        };
        var strengths = new StrengthsInForce(generation.Request.Strengths, aligned);
        if (strengths.Single is { } strength) response.AlignmentStrength = strength;
        foreach (var (name, own) in strengths.ByName ?? []) response.AlignmentStrengths.Add(name, own);
        response.Choices.AddRange(choices.Select((choice, i) => Choice(choice, i, generation.Request)));
        return response;
    }

    private Choice Choice(WholeChoice whole, int index, PreparedRequest request)
    {
        var choice = new Choice { Index = index, Text = whole.Text, FinishReason = Reason(whole.FinishReason) };
        choice.Tokens.AddRange(whole.Tokens.Select(Token));
        if (whole.StopString is { } stop) choice.Stop = stop;
        if (request.PromptLogProbs is { } alternatives)
            choice.PromptTokens.AddRange(PromptTokens(request.Choices[index / request.Returned * request.Candidates], whole, alternatives));
        return choice;
    }

    private IEnumerable<Token> PromptTokens(PreparedChoice prompt, WholeChoice whole, int alternatives)
    {
        for (var i = 0; i < prompt.Request.PromptTokens.Count; i++)
        {
            var score = i == 0 ? null : whole.PromptScores?[i - 1];
            yield return Token(new OutputToken(prompt.Request.PromptTokens[i], 0, true,
                score is null ? null : score with { Top = [.. score.Top.Take(alternatives)] }));
        }
    }

    private Delta Delta(ChoiceDelta piece)
    {
        var delta = new Delta { Index = piece.Index, Text = piece.Text };
        foreach (var token in piece.Tokens) delta.Tokens.Add(Token(token));
        return delta;
    }

    private Token Token(OutputToken source)
    {
        var token = new Token
        {
            Id = source.Token,
            IsPrompt = source.IsPrompt,
            TextOffset = source.TextOffset,
            Bytes = BytesOf(source.Token),
        };
        if (source.LogProbs is not { } scored) return token;
        token.Logprob = scored.LogProb;
        foreach (var (other, logProb) in scored.Top)
            token.Alternatives.Add(new Alternative { Id = other, Bytes = BytesOf(other), Logprob = logProb });
        return token;
    }

    // Without a copy: a tokenizer's bytes never change.
    private ByteString BytesOf(int token) => UnsafeByteOperations.UnsafeWrap(tokenizer.GetBytes(token));

    private static Usage UsageOf(Generation generation) => new()
    {
        PromptTokens = generation.Request.PromptTokens,
        CompletionTokens = generation.CompletionTokens,
    };

    private static FinishReason Reason(Engine.Requests.FinishReason reason) =>
        reason == Engine.Requests.FinishReason.Length ? FinishReason.Length : FinishReason.Stop;
}
