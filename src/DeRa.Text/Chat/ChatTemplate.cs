using System.Text.Json.Nodes;
using DeRa.Text.Templates;
using DeRa.Text.Templates.Values;

namespace DeRa.Text.Chat;

/// <summary>
/// A model's own chat template, a Jinja text in its folder: lays out a conversation as Hugging Face's
/// <c>apply_chat_template</c> does. Immutable; any thread may use it.
/// </summary>
public sealed class ChatTemplate
{
    private readonly TemplateSource _source;
    private readonly TimeProvider _time;
    private readonly TemplateLimits _limits;
    private readonly Lazy<JinjaTemplate> _template;
    private readonly Lazy<JinjaTemplate> _toolTemplate;

    internal ChatTemplate(TemplateSource source, TimeProvider time, TemplateLimits? limits = null)
    {
        (_source, _time, _limits) = (source, time, limits ?? new TemplateLimits());
        _template = new Lazy<JinjaTemplate>(() =>
            source.Fault is { } fault ? throw new ChatTemplateException(fault) : JinjaTemplate.Parse(source.Text));
        _toolTemplate = new Lazy<JinjaTemplate>(() => source.ToolText is { } text ? JinjaTemplate.Parse(text) : _template.Value);
    }

    /// <summary>
    /// Why the template cannot be used, or null where it can be read. Only chats need it, so that a template which is not
    /// understood keeps nobody from completing texts: rendering throws this.
    /// </summary>
    public ChatTemplateException? Fault
    {
        get
        {
            try
            {
                _ = _template.Value;
                return null;
            }
            catch (ChatTemplateException fault)
            {
                return fault;
            }
        }
    }

    /// <summary>The file that the template is from.</summary>
    public string File => _source.File;

    /// <summary>
    /// Reads a model's folder: <c>chat_template.jinja</c>, else <c>chat_template</c> of tokenizer_config.json, else
    /// <c>chat_template.json</c>, the first that is not empty; and the special tokens that a template may write.
    /// </summary>
    /// <param name="folder">A folder in Hugging Face layout.</param>
    /// <param name="time">The clock of templates that write the date.</param>
    /// <returns>The template, or null where the folder has none.</returns>
    /// <exception cref="TokenizerException">A file that names special tokens is malformed; the message names file and field.</exception>
    public static ChatTemplate? Load(string folder, TimeProvider time) =>
        TemplateSource.Find(folder) is { } source ? new ChatTemplate(source, time) : null;

    /// <summary>
    /// Whether callers may not set a variable: a request has a field of its own for it, or it names one of the model's tokens.
    /// </summary>
    public static bool IsReserved(string variable) => Reserved.Contains(variable) || variable.EndsWith("_token", StringComparison.Ordinal);

    private static readonly HashSet<string> Reserved =
        ["messages", "tools", "documents", "add_generation_prompt", "continue_final_message", "chat_template", "raise_exception"];

    /// <summary>Renders a conversation.</summary>
    /// <param name="messages">The messages, each an object with <c>role</c> and what else the template reads.</param>
    /// <param name="tools">Functions that the model may call, or null.</param>
    /// <param name="addGenerationPrompt">Whether the text ends where the assistant's response begins.</param>
    /// <param name="variables">More variables for the template (<c>chat_template_kwargs</c>), or null.</param>
    /// <returns>The text, with the special tokens that the template writes.</returns>
    /// <exception cref="ChatTemplateException">The template raises, fails, passes a limit or cannot be read.</exception>
    public string Render(JsonArray messages, JsonArray? tools = null, bool addGenerationPrompt = true, JsonObject? variables = null) =>
        Render(messages, tools, addGenerationPrompt, variables, text => text);

    /// <summary>The same; each text of the messages, tools and variables goes through <paramref name="protect"/> first.</summary>
    /// <inheritdoc cref="Render(JsonArray, JsonArray?, bool, JsonObject?)"/>
    /// <param name="messages">The messages.</param>
    /// <param name="tools">Functions that the model may call, or null.</param>
    /// <param name="addGenerationPrompt">Whether the text ends where the assistant's response begins.</param>
    /// <param name="variables">More variables for the template, or null.</param>
    /// <param name="protect">Guards what users may not write, such as special tokens (<see cref="UserTextGuard.Protect"/>).</param>
    public string Render(
        JsonArray messages, JsonArray? tools, bool addGenerationPrompt, JsonObject? variables, Func<string, string> protect)
    {
        var given = new Dictionary<string, object>(_source.Variables, StringComparer.Ordinal)
        {
            ["messages"] = TemplateValue.Of(messages, protect),
            ["tools"] = TemplateValue.Of(tools, protect),
            ["documents"] = None.Value,
            ["add_generation_prompt"] = addGenerationPrompt,
        };
        foreach (var (name, value) in variables ?? []) given[name] = TemplateValue.Of(value, protect);
        return (tools is null ? _template : _toolTemplate).Value.Render(given, _limits, _time);
    }
}
