using DeRa.Engine.Requests;
using DeRa.Protos.V1;
using ChatMessage = DeRa.Engine.Text.ChatMessage;

namespace DeRa.Server.Grpc;

/// <summary>Turns gRPC messages into what the one validator takes; nothing is checked here that it checks.</summary>
internal static class GrpcRequestReader
{
    /// <summary>Completions' default, as in HTTP.</summary>
    private const int DefaultMaxTokens = 16;

    /// <summary>Reads the parts of either request.</summary>
    /// <param name="model">The pair's name; null = not set.</param>
    /// <param name="prompt">Null = not set.</param>
    /// <param name="options">Null = all defaults.</param>
    /// <exception cref="InvalidRequestException">There is no prompt, or a message without a role.</exception>
    public static GenerationInput Read(string? model, Prompt? prompt, GenerationOptions? options)
    {
        options ??= new GenerationOptions();
        var input = ReadPrompt(prompt);
        return new GenerationInput
        {
            Prompts = [input],
            Model = model,
            DefaultMaxTokens = input is ChatPrompt ? null : DefaultMaxTokens,
            AlignmentStrength = options.HasAlignmentStrength ? options.AlignmentStrength : null,
            NamedStrengths = options.AlignmentStrengths.Count > 0 ? options.AlignmentStrengths.ToDictionary() : null,
            MaxTokens = options.HasMaxTokens ? options.MaxTokens : null,
            Temperature = options.HasTemperature ? options.Temperature : null,
            TopK = options.HasTopK ? options.TopK : null,
            TopP = options.HasTopP ? options.TopP : null,
            MinP = options.HasMinP ? options.MinP : null,
            RepetitionPenalty = options.HasRepetitionPenalty ? options.RepetitionPenalty : null,
            FrequencyPenalty = options.HasFrequencyPenalty ? options.FrequencyPenalty : null,
            PresencePenalty = options.HasPresencePenalty ? options.PresencePenalty : null,
            LogitBias = options.LogitBias.Count > 0 ? options.LogitBias.ToDictionary() : null,
            Stop = options.Stop,
            IgnoreEos = options.IgnoreEos,
            Seed = options.HasSeed ? options.Seed : null,
            N = options.HasN ? options.N : null,
            LogProbs = options.HasLogprobs ? options.Logprobs : null,
            Echo = options.Echo,
            BestOf = options.HasBestOf ? options.BestOf : null,
            PromptLogProbs = options.HasPromptLogprobs ? options.PromptLogprobs : null,
            StopTokenIds = options.StopTokenIds,
            IncludeStop = options.IncludeStop,
            MinTokens = options.HasMinTokens ? options.MinTokens : null,
            BadWords = options.BadWords,
            AllowedTokenIds = options.AllowedTokenIds.Count > 0 ? options.AllowedTokenIds : null,
            TypicalP = options.HasTypicalP ? options.TypicalP : null,
            Priority = options.HasPriority ? options.Priority : null,
            CacheSalt = options.HasCacheSalt ? options.CacheSalt : null,
            SkipSpecialTokens = !options.HasSkipSpecialTokens || options.SkipSpecialTokens,
            AddSpecialTokens = options.HasAddSpecialTokens ? options.AddSpecialTokens : null,
            TruncatePromptTokens = options.HasTruncatePromptTokens ? options.TruncatePromptTokens : null,
        };
    }

    private static PromptInput ReadPrompt(Prompt? prompt) => prompt?.FormCase switch
    {
        Prompt.FormOneofCase.Text => new TextPrompt(prompt.Text, "prompt.text"),
        Prompt.FormOneofCase.TokenIds => new TokenPrompt(prompt.TokenIds.Ids, "prompt.token_ids"),
        Prompt.FormOneofCase.Messages => ReadMessages(prompt.Messages),
        _ => throw new InvalidRequestException("prompt", "'prompt' is missing: set its text, token_ids or messages."),
    };

    private static ChatPrompt ReadMessages(Conversation conversation)
    {
        const string field = "prompt.messages";
        if (conversation.Messages.Count == 0)
            throw new InvalidRequestException(field, $"'{field}' is empty; at least one message is needed.");
        return new ChatPrompt(
            [.. conversation.Messages.Select((message, i) => new ChatMessage(ReadRole(message.Role, $"{field}[{i}].role"), message.Content))],
            field);
    }

    private static string ReadRole(Role role, string field) => role switch
    {
        Role.System => "system",
        Role.User => "user",
        Role.Assistant => "assistant",
        _ => throw new InvalidRequestException(field, $"'{field}' must be ROLE_SYSTEM, ROLE_USER or ROLE_ASSISTANT."),
    };
}
