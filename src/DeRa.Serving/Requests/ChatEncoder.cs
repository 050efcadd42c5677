using System.Text.Json;
using System.Text.Json.Nodes;
using DeRa.Text;
using DeRa.Text.Chat;
using DeRa.Text.Templates.Values;

namespace DeRa.Serving.Requests;

/// <summary>Turns a conversation into token ids, by the model's own template where it has one.</summary>
internal sealed class ChatEncoder(ITokenizer tokenizer, ChatTemplate? template)
{
    private const string VariablesField = "chat_template_kwargs";

    private readonly UserTextGuard _guard = new(tokenizer);

    /// <param name="chat">The conversation.</param>
    /// <param name="addSpecialTokens">
    /// Whether the tokenizer puts its special tokens around the text; null = not around what the model's template wrote, which
    /// writes the BOS token itself where the model wants one.
    /// </param>
    /// <exception cref="InvalidRequestException">
    /// The template refuses the conversation or fails on it, or what it is to do with it makes no sense.
    /// </exception>
    public IReadOnlyList<int> Encode(ChatPrompt chat, bool? addSpecialTokens = null)
    {
        Check(chat);
        if (template is null) return tokenizer.Encode(RenderPlain(chat), addSpecialTokens ?? true);
        try
        {
            return Encode(chat, template, addSpecialTokens ?? false);
        }
        catch (ChatTemplateException refused)
        {
            throw new InvalidRequestException(chat.Field,
                refused.IsRaised ? refused.Message : $"The model's chat template cannot lay out these messages: {refused.Message}.");
        }
    }

    private IReadOnlyList<int> Encode(ChatPrompt chat, ChatTemplate jinja, bool addSpecialTokens)
    {
        var given = new JsonArray([.. chat.Messages.Select(message => message.ToJson(role => role, text => text))]);
        var free = UserTextGuard.FreeSentinel(Texts(given).Concat(Texts(chat.Variables)));
        var sentinel = free ?? Sentinels.First;
        var json = new JsonArray([.. chat.Messages.Select(message =>
            message.ToJson(role => _guard.ProtectRole(WithoutSentinel(role), sentinel), WithoutSentinel))]);
        var rendered = jinja.Render(json, tools: null, AddsGenerationPrompt(chat), chat.Variables, Protect);
        if (chat.ContinueFinalMessage) rendered = UpTo(rendered, Protect(WithoutSentinel(chat.Messages[^1].Content)), chat);
        var (text, boundaries) = UserTextGuard.TakeSentinels(rendered, sentinel);
        return tokenizer.Encode(text, addSpecialTokens, boundaries);

        string WithoutSentinel(string text) => free is null ? text.Replace(sentinel, '\uFFFD') : text;

        string Protect(string text) => _guard.Protect(text, sentinel);
    }

    private static bool AddsGenerationPrompt(ChatPrompt chat) => chat.AddGenerationPrompt ?? !chat.ContinueFinalMessage;

    /// <summary>
    /// What was rendered up to the end of the last message's text, as Hugging Face does it: of a text that the template trims,
    /// the trimmed one.
    /// </summary>
    private static string UpTo(string rendered, string content, ChatPrompt chat)
    {
        var trimmed = content.Trim();
        var at = LastIndexOf(rendered, trimmed);
        if (at < 0)
            throw new InvalidRequestException($"{chat.FieldPrefix}continue_final_message",
                $"'continue_final_message' is set, but the model's chat template does not write the last of '{chat.Field}' as it is.");
        var whole = rendered.AsSpan(at).StartsWith(content.TrimStart(), StringComparison.Ordinal);
        return rendered[..(at + (whole ? content.TrimStart() : trimmed).Length)];
    }

    /// <summary>The library's own search reads a long part again at every place.</summary>
    private static int LastIndexOf(string text, string part)
    {
        var pattern = new TextPattern(part);
        var last = -1;
        for (var i = 0; i < text.Length; i++)
            if (pattern.Advance(text[i])) last = i + 1 - part.Length;
        return last;
    }

    private static void Check(ChatPrompt chat)
    {
        if (chat is { ContinueFinalMessage: true, AddGenerationPrompt: true })
            throw new InvalidRequestException($"{chat.FieldPrefix}continue_final_message",
                "'continue_final_message' and 'add_generation_prompt' are both true; at most one of them may be.");
        if (chat.ContinueFinalMessage && chat.Messages.Count > 0 && string.IsNullOrWhiteSpace(chat.Messages[^1].Content))
            throw new InvalidRequestException($"{chat.FieldPrefix}continue_final_message",
                $"'continue_final_message' is set, but the last of '{chat.Field}' holds no text that could be continued.");
        ChatPrompt.CheckVariableCount(chat.FieldPrefix + VariablesField, chat.Variables?.Count ?? 0);
        foreach (var (name, _) in chat.Variables ?? [])
            if (name.Length > ChatPrompt.MaxVariableCharacters)
                throw new InvalidRequestException(chat.FieldPrefix + VariablesField,
                    $"'{VariablesField}' has a name of {name.Length} characters; at most {ChatPrompt.MaxVariableCharacters} are allowed.");
            else if (ChatTemplate.IsReserved(name))
                throw new InvalidRequestException($"{chat.FieldPrefix}{VariablesField}.{name}",
                    $"'{VariablesField}' may not set '{name}': it has a field of its own, or is the model's.");
    }

    private static string RenderPlain(ChatPrompt chat)
    {
        for (var i = 0; i < chat.Messages.Count; i++)
            if (!PlainChatTemplate.Roles.Contains(chat.Messages[i].Role))
                throw new InvalidRequestException($"{chat.Field}[{i}].role",
                    $"'{chat.Field}[{i}].role' must be one of {string.Join(", ", PlainChatTemplate.Roles)}: "
                    + "the model has no chat template that knows others.");
        return chat.Messages.Count > 0 ? PlainChatTemplate.Render(chat.Messages, AddsGenerationPrompt(chat), chat.ContinueFinalMessage)
            : throw new InvalidRequestException(chat.Field, $"'{chat.Field}' is empty; at least one message is needed.");
    }

    /// <summary>
    /// Every text in a value, names of fields included, in any order. Not by recursion, which would hand each text up through all
    /// the levels above it.
    /// </summary>
    private static IEnumerable<string> Texts(JsonNode? value)
    {
        var open = new Stack<JsonNode?>([value]);
        while (open.TryPop(out var node))
        {
            if (node is JsonObject fields)
                foreach (var (name, held) in fields)
                {
                    yield return name;
                    open.Push(held);
                }
            else if (node is JsonArray list)
                foreach (var item in list) open.Push(item);
            else if (node?.GetValueKind() == JsonValueKind.String) yield return node.GetValue<string>();
        }
    }
}
