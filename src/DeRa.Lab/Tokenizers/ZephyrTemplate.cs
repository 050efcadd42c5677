namespace DeRa.Lab.Tokenizers;

/// <summary>
/// Zephyr's chat layout: a special token names who speaks, and the token that ends a text ends every turn, so that an answer needs no
/// stop strings: <c>&lt;|user|&gt;\nHello&lt;|endoftext|&gt;\n&lt;|assistant|&gt;\n</c>.
/// </summary>
internal static class ZephyrTemplate
{
    private const string System = "<|system|>", User = "<|user|>", Assistant = "<|assistant|>", Tool = "<|tool|>";

    /// <summary>The special tokens of a tokenizer that goes with it; the first ends a text and a turn.</summary>
    public static IReadOnlyList<string> SpecialTokens { get; } = [BpeTrainer.EndOfText, System, User, Assistant, Tool];

    /// <summary>The Jinja text of a tokenizer_config.json.</summary>
    // On one line, so that it renders the same whatever the interpreter does with white space around blocks.
    public const string Jinja =
        "{{ bos_token }}"
        + "{% if not messages %}{{ raise_exception(\"'messages' is empty; at least one message is needed.\") }}{% endif %}"
        + "{% for message in messages %}"
        + "{% if message['role'] == 'system' or message['role'] == 'developer' %}{{ '" + System + "' }}"
        + "{% elif message['role'] == 'user' %}{{ '" + User + "' }}"
        + "{% elif message['role'] == 'assistant' %}{{ '" + Assistant + "' }}"
        + "{% elif message['role'] == 'tool' %}{{ '" + Tool + "' }}"
        + "{% else %}{{ raise_exception(\"'\" + message['role'] + \"' is none of system, developer, user, assistant, tool\") }}{% endif %}"
        + "{{ '\\n' + message['content'] + eos_token + '\\n' }}"
        + "{% endfor %}"
        + "{% if add_generation_prompt %}{{ '" + Assistant + "\\n' }}{% endif %}";

    /// <summary>
    /// What the template renders for a user's message, up to where the answer begins, less the token that begins a text, which encoding
    /// adds.
    /// </summary>
    /// <param name="user">What the user writes.</param>
    /// <param name="system">What the system's message says before; null = there is none.</param>
    public static string Prompt(string user, string? system = null) =>
        (system is null ? "" : Turn(System, system)) + Turn(User, user) + Assistant + "\n";

    private static string Turn(string role, string content) => $"{role}\n{content}{BpeTrainer.EndOfText}\n";
}
