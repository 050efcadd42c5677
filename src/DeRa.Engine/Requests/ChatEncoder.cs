using System.Text.Json.Nodes;
using DeRa.Engine.Text;
using DeRa.Engine.Text.Templates;

namespace DeRa.Engine.Requests;

/// <summary>Turns a conversation into token ids, by the model's own template where it has one.</summary>
internal sealed class ChatEncoder(ITokenizer tokenizer, ChatTemplate? template)
{
    private readonly UserTextGuard _guard = new(tokenizer);

    /// <exception cref="InvalidRequestException">The template refuses the conversation or fails on it.</exception>
    public IReadOnlyList<int> Encode(ChatPrompt chat, bool? addSpecialTokens)
    {
        if (chat.ContinueFinalMessage)
            throw new InvalidRequestException("continue_final_message", "'continue_final_message' does not work here; leave it out.");
        if (template is null && chat.AddGenerationPrompt == false)
            throw new InvalidRequestException("add_generation_prompt", "'add_generation_prompt' must be true: the model has no chat template.");
        if (template is null) return tokenizer.Encode(RenderPlain(chat), addSpecialTokens ?? true);
        try
        {
            return Encode(chat, addSpecialTokens ?? false, template);
        }
        catch (ChatTemplateException refused)
        {
            throw new InvalidRequestException(chat.Field,
                refused.IsRaised ? refused.Message : $"The model's chat template cannot lay out these messages: {refused.Message}.");
        }
    }

    private IReadOnlyList<int> Encode(ChatPrompt chat, bool addSpecialTokens, ChatTemplate jinja)
    {
        var free = UserTextGuard.FreeMark(chat.Messages.SelectMany(message => new[] { message.Role, message.Content }));
        var mark = free ?? UserMark.First;
        var json = new JsonArray([.. chat.Messages.Select(message => (JsonNode)new JsonObject
        {
            ["role"] = _guard.ProtectRole(WithoutMark(message.Role), mark),
            ["content"] = WithoutMark(message.Content),
        })]);
        var rendered = jinja.Render(json, tools: null, chat.AddGenerationPrompt ?? true, chat.Variables, text => _guard.Protect(text, mark));
        var (text, cuts) = UserTextGuard.TakeMarks(rendered, mark);
        // The template writes the BOS token itself, where the model wants one.
        return tokenizer.Encode(text, addSpecialTokens, cuts);

        string WithoutMark(string given) => free is null ? given.Replace(mark, '\uFFFD') : given;
    }

    private static string RenderPlain(ChatPrompt chat)
    {
        for (var i = 0; i < chat.Messages.Count; i++)
            if (!PlainChatTemplate.Roles.Contains(chat.Messages[i].Role))
                throw new InvalidRequestException($"{chat.Field}[{i}].role",
                    $"'{chat.Field}[{i}].role' must be one of {string.Join(", ", PlainChatTemplate.Roles)}: "
                    + "the model has no chat template that knows others.");
        return chat.Messages.Count > 0 ? PlainChatTemplate.Render(chat.Messages)
            : throw new InvalidRequestException(chat.Field, $"'{chat.Field}' is empty; at least one message is needed.");
    }
}
