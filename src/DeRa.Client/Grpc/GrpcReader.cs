using DeRa.Client.Alignment;
using DeRa.Protos.V1;
using Google.Protobuf.Collections;
using Microsoft.Extensions.AI;
using ChatMessage = Microsoft.Extensions.AI.ChatMessage;
using ChatResponse = Microsoft.Extensions.AI.ChatResponse;
using WireResponse = DeRa.Protos.V1.ChatResponse;
using WireSchedule = DeRa.Protos.V1.AlignmentSchedule;

namespace DeRa.Client.Grpc;

/// <summary>Reads responses; one reader for each.</summary>
/// <param name="generationId">By which the client knows the stream.</param>
internal sealed class GrpcReader(string generationId)
{
    private readonly Dictionary<int, (double? One, MapField<string, double> ByName)> _changed = [];
    private Started _started = new();

    /// <summary>The request's n.</summary>
    public required int ChoicesAtAStrength { private get; init; }

    /// <summary>What the call took; final at its end, null before a choice has ended.</summary>
    public UsageDetails? Usage { get; private set; }

    /// <summary>A whole response.</summary>
    public static ChatResponse Whole(WireResponse response)
    {
        var id = Guid.NewGuid().ToString("n");
        var choices = response.Choices.Select(Choice).ToList();
        var about = new AdditionalPropertiesDictionary { [FieldNames.Seed] = response.Seed };
        AddStrengths(about, response.HasAlignmentStrength ? response.AlignmentStrength : null, response.AlignmentStrengths);
        about[FieldNames.Choices] = (IReadOnlyList<AlignedChoice>)choices;
        return new ChatResponse([.. choices.Select(choice =>
            new ChatMessage(ChatRole.Assistant, choice.Text) { MessageId = MessageId(id, choice.Index) })])
        {
            ResponseId = id,
            ModelId = response.Model,
            FinishReason = choices[0].FinishReason,
            Usage = Details(response.Usage),
            RawRepresentation = response,
            AdditionalProperties = about,
        };
    }

    /// <summary>An event of a stream; null where nothing is to be told yet.</summary>
    public ChatResponseUpdate? Event(ConverseResponse happened)
    {
        switch (happened.EventCase)
        {
            case ConverseResponse.EventOneofCase.Started:
                _started = happened.Started;
                return Update(null);
            case ConverseResponse.EventOneofCase.Changed:
                var changed = happened.Changed;
                _changed[changed.Index] = (changed.HasAlignmentStrength ? changed.AlignmentStrength : null, changed.AlignmentStrengths);
                return null;
            case ConverseResponse.EventOneofCase.Delta:
                return Piece(happened.Delta);
            case ConverseResponse.EventOneofCase.Finished:
                return End(happened.Finished);
            default:
                return null;
        }
    }

    /// <summary>The last piece, which has the usage.</summary>
    public ChatResponseUpdate Last()
    {
        var update = Update(null);
        if (Usage is { } usage) update.Contents.Add(new UsageContent(usage));
        return update;
    }

    private ChatResponseUpdate Piece(Delta delta)
    {
        var update = Update(delta.Index);
        if (delta.Text.Length > 0) update.Contents.Add(new TextContent(delta.Text));
        update.AdditionalProperties.With(FieldNames.Measures, GrpcMeasures.Read(delta.Tokens, null));
        return update;
    }

    private ChatResponseUpdate End(Finished finished)
    {
        Usage = Details(finished.Usage);
        var update = Update(finished.Index);
        update.FinishReason = Reason(finished.FinishReason);
        update.AdditionalProperties.With(FieldNames.Measures, GrpcMeasures.Read([], finished.Measures));
        var rewards = Rewards(finished.Rewards, finished.FailedRewards);
        if (rewards.Count > 0) update.AdditionalProperties.With(FieldNames.Rewards, rewards);
        return update;
    }

    private ChatResponseUpdate Update(int? index)
    {
        var about = new AdditionalPropertiesDictionary { [FieldNames.Seed] = _started.Seed, [FieldNames.GenerationId] = generationId };
        about.With(FieldNames.Index, index);
        if (index is { } one && _changed.TryGetValue(one, out var own)) AddStrengths(about, own.One, own.ByName);
        else AddStrengths(about, index is { } choice ? AtFirst(choice) : OfAll, _started.AlignmentStrengths);
        return new ChatResponseUpdate
        {
            Role = ChatRole.Assistant,
            ResponseId = generationId,
            MessageId = index is { } message ? MessageId(generationId, message) : null,
            ModelId = _started.Model,
            AdditionalProperties = about,
        };
    }

    private double? OfAll => _started.HasAlignmentStrength ? _started.AlignmentStrength : null;

    /// <summary>The strength with which a choice begins: in a sweep each has <see cref="ChoicesAtAStrength"/> choices.</summary>
    private double? AtFirst(int index) => _started.AlignmentSweep is { Count: > 0 } sweep ? sweep[index / ChoicesAtAStrength % sweep.Count]
        : _started.AlignmentSchedule?.FormCase switch
        {
            WireSchedule.FormOneofCase.Points => _started.AlignmentSchedule.Points.Points[0].AlignmentStrength,
            WireSchedule.FormOneofCase.Ramp when _started.AlignmentSchedule.Ramp is var ramp => ramp.Tokens == 0 ? ramp.End : ramp.Start,
            _ => OfAll,
        };

    private static AlignedChoice Choice(ChatChoice choice) => new()
    {
        Index = choice.Index,
        Text = choice.Message.Content,
        FinishReason = Reason(choice.FinishReason),
        AlignmentStrength = choice.HasAlignmentStrength ? choice.AlignmentStrength : null,
        Measures = GrpcMeasures.Read(choice.Tokens, choice.Measures),
        Rewards = Rewards(choice.Rewards, choice.FailedRewards),
    };

    private static Dictionary<string, double?> Rewards(MapField<string, double> scores, IEnumerable<string> failed)
    {
        var rewards = scores.ToDictionary(entry => entry.Key, entry => (double?)entry.Value);
        foreach (var name in failed) rewards[name] = null;
        return rewards;
    }

    private static void AddStrengths(AdditionalPropertiesDictionary about, double? one, MapField<string, double> byName)
    {
        about.With(FieldNames.Strength, one);
        if (byName.Count > 0) about[FieldNames.Strengths] = (IReadOnlyDictionary<string, double>)byName.ToDictionary();
    }

    private static ChatFinishReason Reason(FinishReason reason) =>
        reason == FinishReason.Length ? ChatFinishReason.Length : ChatFinishReason.Stop;

    private static UsageDetails Details(Usage usage) => new()
    {
        InputTokenCount = usage.PromptTokens,
        OutputTokenCount = usage.CompletionTokens,
        TotalTokenCount = usage.PromptTokens + usage.CompletionTokens,
        CachedInputTokenCount = usage.CachedTokens,
    };

    private static string MessageId(string id, int index) => index == 0 ? id : $"{id}-{index}";
}
