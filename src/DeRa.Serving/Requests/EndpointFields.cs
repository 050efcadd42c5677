using static DeRa.Serving.Requests.RequestFields;

namespace DeRa.Serving.Requests;

/// <summary>Which request fields each endpoint takes, in the order of the API reference.</summary>
public static class EndpointFields
{
    /// <summary>Those that say how much of which model is mixed in.</summary>
    public static IReadOnlyList<RequestField> Strengths { get; } =
        [Strength, NamedStrengths, Strength.AsSynonym(), RealignmentFields.Sweep, RealignmentFields.Schedule];

    /// <summary>What <c>POST /v1/completions</c> takes.</summary>
    public static IReadOnlyList<RequestField> Completion { get; } =
    [
        .. Common(CompletionMaxTokens, CompletionMaxTokens.AsSynonym() with
        {
            Default = CompletionMaxTokens.Default,
            Description = CompletionMaxTokens.Description,
        }, LogProbs),
        Prompt,
        Echo,
        BestOf,
        ParseSpecial,
    ];

    /// <summary>What <c>POST /v1/chat/completions</c> takes.</summary>
    public static IReadOnlyList<RequestField> Chat { get; } =
    [
        .. Common(MaxTokens, MaxTokens.AsSynonym(), ChatLogProbs), Messages, TopLogProbs, AddGenerationPrompt, ContinueFinalMessage,
        ChatTemplateKwargs,
    ];

    /// <summary>What <c>POST /tokenize</c> takes with a text.</summary>
    public static IReadOnlyList<RequestField> TokenizeText { get; } =
        [Model, RequestFields.TextPrompt, AddSpecialTokens, ParseSpecial, ReturnTokenStrings];

    /// <summary>What <c>POST /tokenize</c> takes with a conversation.</summary>
    public static IReadOnlyList<RequestField> TokenizeChat { get; } =
        [Model, Messages, AddSpecialTokens, AddGenerationPrompt, ContinueFinalMessage, ChatTemplateKwargs, ReturnTokenStrings];

    /// <summary>What <c>POST /detokenize</c> takes.</summary>
    public static IReadOnlyList<RequestField> Detokenize { get; } = [Model, Tokens];

    /// <summary>What <c>POST /v1/realignment/generations/{id}</c> takes.</summary>
    public static IReadOnlyList<RequestField> GenerationChange { get; } =
    [
        Strength with { Default = null }, NamedStrengths, Strength.AsSynonym(), RealignmentFields.Choice, RealignmentFields.StopGeneration,
    ];

    /// <summary>What <c>POST /v1/realignment/score</c> takes.</summary>
    public static IReadOnlyList<RequestField> Score { get; } =
        [Model, RealignmentFields.Items, RealignmentFields.ScoredStrengths, RealignmentFields.PerToken, CacheSalt, RequestFields.Timeout];

    /// <summary>What an item of <see cref="Score"/> takes.</summary>
    public static IReadOnlyList<RequestField> ScoreItem { get; } =
        [RealignmentFields.ItemPrompt, RealignmentFields.Continuation, Messages];

    /// <summary>What all requests take that generate; two fields differ.</summary>
    private static IEnumerable<RequestField> Common(RequestField maxTokens, RequestField maxTokensSynonym, RequestField logProbs) =>
    [
        Model, .. Strengths, maxTokens, maxTokensSynonym, N, .. SamplingFields.Main, LogitBias, Stop,
        IgnoreEos,
        Seed, logProbs, RequestFields.Stream, StreamOptions, ReturnTokenIds, ReturnTokensAsIds, PromptLogProbs, StopTokenIds,
        IncludeStop,
        SamplingFields.MinTokens, BadWords, AllowedTokenIds, SamplingFields.TypicalP, Priority, RequestFields.Speculation, CacheSalt,
        SkipSpecialTokens,
        AddSpecialTokens, TruncatePromptTokens, RequestFields.Timeout,
        RewardFields.Rewards,
        MeasureFields.Measures,
    ];
}
