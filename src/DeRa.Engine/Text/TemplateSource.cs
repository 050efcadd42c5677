using System.Text;

namespace DeRa.Engine.Text;

/// <summary>A chat template as a model's folder holds it.</summary>
/// <param name="File">Where it was found.</param>
/// <param name="Text">The template.</param>
/// <param name="ToolText">Another for chats with tools (named <c>tool_use</c> in the folder), or null.</param>
/// <param name="Variables">The special tokens by the names that templates use: <c>bos_token</c>, <c>eos_token</c>, ….</param>
internal sealed record TemplateSource(string File, string Text, string? ToolText, IReadOnlyDictionary<string, object> Variables)
{
    private const string Field = "chat_template";

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private static readonly string[] Tokens =
        ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

    public static TemplateSource? Find(string folder)
    {
        var config = JsonField.ReadFileIfPresent(Path.Combine(folder, "tokenizer_config.json"));
        var legacy = JsonField.ReadFileIfPresent(Path.Combine(folder, "chat_template.json"));
        var jinja = Path.Combine(folder, "chat_template.jinja");
        if (System.IO.File.Exists(jinja)) return new TemplateSource(jinja, ReadText(jinja), null, Variable(folder, config));
        var field = config?.Find(Field) ?? legacy?.Find(Field);
        if (field is not { } found) return null;
        var file = Path.Combine(folder, config?.Find(Field) is null ? "chat_template.json" : "tokenizer_config.json");
        if (found.IsText) return new TemplateSource(file, found.Text(), null, Variable(folder, config));
        var named = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var item in found.Items())
            if (!named.TryAdd(item["name"].Text(), item["template"].Text())) throw item["name"].Error("is the name of two templates");
        return named.TryGetValue("default", out var text)
            ? new TemplateSource(file, text, named.GetValueOrDefault("tool_use"), Variable(folder, config))
            : throw found.Error($"has no template named 'default' (it has {string.Join(", ", named.Keys)})");
    }

    private static Dictionary<string, object> Variable(string folder, JsonField? config)
    {
        var map = JsonField.ReadFileIfPresent(Path.Combine(folder, "special_tokens_map.json"));
        var variables = new Dictionary<string, object>(StringComparer.Ordinal);
        foreach (var name in Tokens)
            if ((config?.Find(name) ?? map?.Find(name)) is { } token && (token.IsText || token.IsObject))
                variables[name] = SpecialTokenName.Read(token);
        return variables;
    }

    private static string ReadText(string path)
    {
        try
        {
            using var reader = new StreamReader(ModelFile.OpenRead(path), StrictUtf8);
            return reader.ReadToEnd();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or DecoderFallbackException)
        {
            throw new TokenizerException($"{path}: cannot be read: {error.Message}", error);
        }
    }
}
