using DeRa.Engine.Requests;
using DeRa.Protos.V1;
using DeRa.Server.Options;
using DeRa.Server.Responses;
using DeRa.Serving;
using DeRa.Serving.Requests;
using DeRa.Serving.Streaming;
using DeRa.Text;
using Google.Protobuf;
using Google.Protobuf.Collections;
using Google.Protobuf.WellKnownTypes;
using FinishReason = DeRa.Protos.V1.FinishReason;
using Usage = DeRa.Protos.V1.Usage;

namespace DeRa.Server.Grpc;

/// <summary>Turns what was generated into gRPC messages.</summary>
/// <param name="tokenizer">The pair's tokenizer.</param>
/// <param name="aligned">The aligned models' names.</param>
internal sealed class GrpcResponses(ITokenizer tokenizer, IReadOnlyList<string> aligned)
{
    private readonly GrpcMeasures _measures = new(aligned, (token, logProb) => Alternative(token, logProb, tokenizer));

    /// <summary>The message that begins a stream.</summary>
    /// <param name="request">What runs.</param>
    /// <param name="form">The stream's form.</param>
    public T Started<T>(PreparedRequest request, StreamEvents<T> form)
    {
        var started = new Started { Model = request.Model, Seed = request.Seed, PromptTokens = request.PromptTokens };
        if (request.Sweep is { } sweep) started.AlignmentSweep.AddRange(sweep);
        else if (request.Schedule is { } schedule) started.AlignmentSchedule = GrpcSchedules.Of(schedule);
        else if (AddStrengths(request.Strengths, started.AlignmentStrengths) is { } strength) started.AlignmentStrength = strength;
        return form.Started(started);
    }

    /// <summary>The messages of one piece: strengths that changed, its text, its choice's end; those of them that it has.</summary>
    /// <param name="piece">The piece.</param>
    /// <param name="generation">What it is of.</param>
    /// <param name="form">The stream's form.</param>
    public IEnumerable<T> Events<T>(ChoiceDelta piece, Generation generation, StreamEvents<T> form)
    {
        if (piece.Strengths is { } changed) yield return form.Changed(Changed(piece.Index, changed));
        if (piece.Text.Length > 0 || piece.Tokens.Count > 0) yield return form.Delta(Delta(piece, generation.Request));
        if (piece.FinishReason is { } reason) yield return form.Finished(Finished(piece, reason, generation));
    }

    /// <summary>The whole response.</summary>
    public GenerateResponse Whole(IReadOnlyList<WholeChoice> choices, Generation generation)
    {
        var request = generation.Request;
        var response = new GenerateResponse { Model = request.Model, Seed = request.Seed, Usage = UsageOf(generation) };
        if (request.Schedule is { } schedule) response.AlignmentSchedule = GrpcSchedules.Of(schedule);
        else if (request.Sweep is null && AddStrengths(request.Strengths, response.AlignmentStrengths) is { } strength)
            response.AlignmentStrength = strength;
        response.Choices.AddRange(choices.Select((choice, i) => Choice(choice, i, request)));
        return response;
    }

    /// <summary>The whole response to a conversation.</summary>
    public ChatResponse WholeChat(IReadOnlyList<WholeChoice> choices, Generation generation)
    {
        var request = generation.Request;
        var response = new ChatResponse { Model = request.Model, Seed = request.Seed, Usage = UsageOf(generation) };
        if (request.Schedule is { } schedule) response.AlignmentSchedule = GrpcSchedules.Of(schedule);
        else if (request.Sweep is null && AddStrengths(request.Strengths, response.AlignmentStrengths) is { } strength)
            response.AlignmentStrength = strength;
        response.Choices.AddRange(choices.Select((choice, i) => ChatChoice(choice, i, request)));
        return response;
    }

    /// <summary>What the server is, and what a request may ask for.</summary>
    public static GetServerInfoResponse Info(ServedPair pair, ServerOptions options)
    {
        var capacity = pair.Engine.Limits;
        var info = new GetServerInfoResponse
        {
            Version = ServerVersion.Text,
            Pair = pair.Names.Pair,
            VocabularySize = capacity.VocabularySize,
            ContextTokens = capacity.ContextTokens,
            CacheTokens = (long)capacity.BlockCount * capacity.BlockTokens,
            Limits = LimitsOf(pair.Validator.Limits),
            Options = Struct.Parser.ParseJson(PublicOptions.Of(options).ToJsonString()),
        };
        info.AlignedModels.AddRange(pair.Names.Aligned);
        info.Members.AddRange(pair.Members.Select(member => new Member
        {
            Name = member.Name,
            Device = member.Device,
            Dtype = member.DType,
            WeightBytes = member.WeightBytes,
            CacheBytes = member.CacheBytes,
        }));
        return info;
    }

    private static Limits LimitsOf(RequestLimits limits)
    {
        var message = new Limits
        {
            MinStrength = limits.MinStrength,
            MaxStrength = limits.MaxStrength,
            MaxPrompts = limits.MaxPrompts,
            MaxChoices = limits.MaxChoices,
            MaxBestOf = limits.MaxBestOf,
            MaxStopStrings = limits.MaxStopStrings,
            MaxStopStringBytes = limits.MaxStopStringBytes,
            MaxStopTokens = limits.MaxStopTokens,
            MaxBadWords = limits.MaxBadWords,
            MaxAllowedTokens = limits.MaxAllowedTokens,
            MaxLogitBiasEntries = limits.MaxLogitBiasEntries,
            MaxLogprobs = limits.MaxLogprobs,
        };
        if (limits.MaxDuration is { } longest) message.MaxDurationSeconds = longest.TotalSeconds;
        return message;
    }

    private Finished Finished(ChoiceDelta last, Engine.Requests.FinishReason reason, Generation generation)
    {
        var finished = new Finished { Index = last.Index, FinishReason = Reason(reason), Usage = UsageOf(generation) };
        if (last.StopString is { } stop) finished.Stop = stop;
        if (last.StopToken is { } token) finished.StopToken = token;
        AddRewards(last.Rewards, finished.Rewards, finished.FailedRewards);
        finished.Measures = _measures.Of(last.Measures, generation.Request.Beta);
        return finished;
    }

    /// <summary>Adds scores by name, and the names of those that there are none of.</summary>
    private static void AddRewards(
        IReadOnlyList<(string Name, double? Score)>? rewards, MapField<string, double> scores, RepeatedField<string> failed)
    {
        foreach (var (name, score) in rewards ?? [])
            if (score is { } number) scores[name] = number;
            else failed.Add(name);
    }

    private StrengthChanged Changed(int index, AlignmentStrengths changed)
    {
        var message = new StrengthChanged { Index = index };
        if (AddStrengths(changed, message.AlignmentStrengths) is { } strength) message.AlignmentStrength = strength;
        return message;
    }

    /// <summary>Adds strengths to a message's map; returns the one number that says them, null where none does.</summary>
    private double? AddStrengths(AlignmentStrengths strengths, IDictionary<string, double> map)
    {
        var effective = new EffectiveStrengths(strengths, aligned);
        effective.AddTo(map);
        return effective.Single;
    }

    private ChatChoice ChatChoice(WholeChoice whole, int index, PreparedRequest request)
    {
        var choice = new ChatChoice
        {
            Index = index,
            Message = new() { Role = Role.Assistant, Content = whole.Text },
            FinishReason = Reason(whole.FinishReason),
        };
        choice.Tokens.AddRange(whole.Tokens.Select(token => Token(token, request)));
        choice.PromptTokens.AddRange(PromptTokens(request, whole, index));
        if (whole.StopString is { } stop) choice.Stop = stop;
        if (whole.StopToken is { } token) choice.StopToken = token;
        if (request.SweptStrength(index) is { } strength) choice.AlignmentStrength = strength;
        AddRewards(whole.Rewards, choice.Rewards, choice.FailedRewards);
        choice.Measures = _measures.Of(whole.Measures, request.Beta);
        return choice;
    }

    private Choice Choice(WholeChoice whole, int index, PreparedRequest request)
    {
        var choice = new Choice { Index = index, Text = whole.Text, FinishReason = Reason(whole.FinishReason) };
        choice.Tokens.AddRange(whole.Tokens.Select(token => Token(token, request)));
        choice.PromptTokens.AddRange(PromptTokens(request, whole, index));
        if (whole.StopString is { } stop) choice.Stop = stop;
        if (whole.StopToken is { } token) choice.StopToken = token;
        if (request.SweptStrength(index) is { } strength) choice.AlignmentStrength = strength;
        AddRewards(whole.Rewards, choice.Rewards, choice.FailedRewards);
        choice.Measures = _measures.Of(whole.Measures, request.Beta);
        return choice;
    }

    /// <summary>The prompt's tokens with their scores; none where they were not asked for.</summary>
    private IEnumerable<Token> PromptTokens(PreparedRequest request, WholeChoice whole, int index)
    {
        if (request.PromptLogProbs is not { } alternatives) yield break;
        var prompt = request.Choices[index / request.Returned * request.Candidates];
        for (var i = 0; i < prompt.Request.PromptTokens.Count; i++)
        {
            var score = i == 0 ? null : whole.PromptScores?[i - 1];
            yield return Token(new OutputToken(prompt.Request.PromptTokens[i], 0, true,
                score is null ? null : score with { Top = [.. score.Top.Take(alternatives)] }), request);
        }
    }

    private Delta Delta(ChoiceDelta piece, PreparedRequest request)
    {
        var delta = new Delta { Index = piece.Index, Text = piece.Text };
        foreach (var token in piece.Tokens) delta.Tokens.Add(Token(token, request));
        return delta;
    }

    private Token Token(OutputToken source, PreparedRequest request)
    {
        var token = new Token
        {
            Id = source.Token,
            IsPrompt = source.IsPrompt,
            TextOffset = source.TextOffset,
            Bytes = BytesOf(source.Token, tokenizer),
        };
        if (source.Measures is { } measures) token.Measures = _measures.Of(measures, request.Beta);
        if (source.LogProbs is not { } scored) return token;
        token.Logprob = scored.LogProb;
        if (source.IsPrompt && scored.Rank is { } rank) token.Rank = rank;
        foreach (var (other, logProb) in scored.Top) token.Alternatives.Add(Alternative(other, logProb, tokenizer));
        return token;
    }

    private static Alternative Alternative(int token, float logProb, ITokenizer tokenizer) =>
        new() { Id = token, Bytes = BytesOf(token, tokenizer), Logprob = logProb };

    // Without a copy: a tokenizer's bytes never change.
    private static ByteString BytesOf(int token, ITokenizer tokenizer) => UnsafeByteOperations.UnsafeWrap(tokenizer.GetBytes(token));

    private static Usage UsageOf(Generation generation) => new()
    {
        PromptTokens = generation.Request.PromptTokens,
        CompletionTokens = generation.CompletionTokens,
        CachedTokens = generation.CachedTokens,
    };

    private static FinishReason Reason(Engine.Requests.FinishReason reason) => reason switch
    {
        Engine.Requests.FinishReason.Length => FinishReason.Length,
        Engine.Requests.FinishReason.Cancelled => FinishReason.Cancelled,
        _ => FinishReason.Stop,
    };
}
