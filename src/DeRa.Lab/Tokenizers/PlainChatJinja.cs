using DeRa.Text.Chat;

namespace DeRa.Lab.Tokenizers;

/// <summary>
/// <see cref="PlainChatTemplate"/> as the Jinja text of a tokenizer_config.json: with <c>add_generation_prompt</c> it
/// renders the same after the token that begins a text, without it the same less the last <c>Assistant:</c>.
/// </summary>
internal static class PlainChatJinja
{
    // On one line, so that it renders the same whatever the interpreter does with white space around blocks.
    public const string Text =
        "{{ bos_token }}"
        + "{% if not messages %}{{ raise_exception(\"'messages' is empty; at least one message is needed.\") }}{% endif %}"
        + "{% for message in messages %}"
        + "{% if message['role'] == 'system' or message['role'] == 'developer' %}{{ 'System: ' }}"
        + "{% elif message['role'] == 'user' %}{{ 'User: ' }}"
        + "{% elif message['role'] == 'assistant' %}{{ 'Assistant: ' }}"
        + "{% elif message['role'] == 'tool' %}{{ 'Tool: ' }}"
        + "{% else %}{{ raise_exception(\"'\" + message['role'] + \"' is none of system, developer, user, assistant, tool\") }}{% endif %}"
        + "{{ message['content'] + '\\n\\n' }}"
        + "{% endfor %}"
        + "{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}";
}
