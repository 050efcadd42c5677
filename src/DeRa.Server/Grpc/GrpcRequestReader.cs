using DeRa.Protos.V1;
using DeRa.Serving.Requests;
using ChatMessage = DeRa.Text.Chat.ChatMessage;

namespace DeRa.Server.Grpc;

/// <summary>Turns gRPC messages into what the one validator takes; nothing is checked here that it checks.</summary>
internal static class GrpcRequestReader
{
    /// <summary>Reads the parts of a request that generates.</summary>
    /// <param name="model">The model's name; null = not set.</param>
    /// <param name="prompt">Null = not set.</param>
    /// <param name="more">The prompts after it.</param>
    /// <param name="options">Null = all defaults.</param>
    /// <exception cref="InvalidRequestException">A prompt is empty, or a message has no role.</exception>
    public static GenerationInput Read(string? model, Prompt? prompt, IEnumerable<Prompt> more, GenerationOptions? options) =>
        Read(model, [ReadPrompt(prompt), .. more.Select((next, i) => ReadPrompt(next, $"more_prompts[{i}]"))],
            options ?? new GenerationOptions());

    /// <summary>Reads the parts of a request that goes on with a conversation.</summary>
    /// <inheritdoc cref="Read(string, Prompt, IEnumerable{Prompt}, GenerationOptions)"/>
    public static GenerationInput ReadChat(string? model, Conversation? conversation, GenerationOptions? options)
    {
        if (options is { Echo: true }) throw new InvalidRequestException("echo", "'echo' does not work in a chat; leave it out.");
        return Read(model, [ReadConversation(conversation, "conversation")], options ?? new GenerationOptions());
    }

    private static GenerationInput Read(string? model, IReadOnlyList<PromptInput> prompts, GenerationOptions options)
    {
        var fields = new OptionFields(options);
        return EndpointFields.Completion.Aggregate(new GenerationInput
        {
            Prompts = prompts,
            Model = model,
            DefaultMaxTokens = prompts.All(prompt => prompt is ChatPrompt) ? null : RequestFields.DefaultCompletionTokens,
        }, (input, field) => field.Read(fields, input));
    }

    /// <summary>Reads a prompt.</summary>
    /// <param name="prompt">Null = not set.</param>
    /// <param name="field">Its field, for errors.</param>
    /// <exception cref="InvalidRequestException">There is none, or a message has no role.</exception>
    public static PromptInput ReadPrompt(Prompt? prompt, string field = "prompt") => prompt?.FormCase switch
    {
        Prompt.FormOneofCase.Text => new TextPrompt(prompt.Text, $"{field}.text"),
        Prompt.FormOneofCase.TokenIds => new TokenPrompt(prompt.TokenIds.Ids, $"{field}.token_ids"),
        Prompt.FormOneofCase.Messages => ReadConversation(prompt.Messages, $"{field}.messages"),
        _ => throw new InvalidRequestException(field, $"'{field}' is missing: set its text, token_ids or messages."),
    };

    private static ChatPrompt ReadConversation(Conversation? conversation, string field)
    {
        if (conversation is null || conversation.Messages.Count == 0)
            throw new InvalidRequestException(field, $"'{field}' is empty; at least one message is needed.");
        var messages = conversation.Messages.Select((message, i) =>
            new ChatMessage(ReadRole(message, $"{field}.messages[{i}].role"), message.Content));
        return new ChatPrompt([.. messages], $"{field}.messages")
        {
            AddGenerationPrompt = conversation.HasAddGenerationPrompt ? conversation.AddGenerationPrompt : null,
            ContinueFinalMessage = conversation.ContinueFinalMessage,
            Variables = conversation.ChatTemplateKwargs is { } variables
                ? TemplateVariables.Read(variables, $"{field}.chat_template_kwargs") : null,
            Strengths = [.. conversation.Messages.Index().Where(message => message.Item.HasAlignmentStrength).Select(message =>
                new MessageStrength($"{field}.messages[{message.Index}].alignment_strength", message.Item.AlignmentStrength))],
            FieldPrefix = $"{field}.",
        };
    }

    private static string ReadRole(Protos.V1.ChatMessage message, string field) => message.Role switch
    {
        // OpenAI's newer name for the same role.
        Role.Unspecified when message.RoleName == "developer" => "system",
        Role.Unspecified when message.RoleName.Length > 0 => message.RoleName,
        _ when message.HasRoleName => throw new InvalidRequestException(
            $"{field}_name", $"'{field}_name' must be a role's name, and 'role' not be set beside it."),
        Role.System => "system",
        Role.User => "user",
        Role.Assistant => "assistant",
        _ => throw new InvalidRequestException(field,
            $"'{field}' must be ROLE_SYSTEM, ROLE_USER or ROLE_ASSISTANT, or 'role_name' be set."),
    };
}
