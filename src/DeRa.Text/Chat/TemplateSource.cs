using System.Text;
using DeRa.Text.Tokenizers;

namespace DeRa.Text.Chat;

/// <summary>A chat template as a model's folder holds it.</summary>
/// <param name="File">Where it was found.</param>
/// <param name="Text">The template; empty where it cannot be used.</param>
/// <param name="ToolText">Another for chats with tools (named <c>tool_use</c> in the folder), or null.</param>
internal sealed record TemplateSource(string File, string Text, string? ToolText)
{
    private const string Field = "chat_template";

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private static readonly string[] Tokens =
        ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

    private static readonly (string File, Func<string, TemplateSource?> Read)[] Places =
    [
        ("chat_template.jinja", file => new TemplateSource(file, ReadText(file), null)),
        ("tokenizer_config.json", ReadField), ("chat_template.json", ReadField),
    ];

    /// <summary>Why there is a template that cannot be used, without the folder's path; null where it can be read.</summary>
    public string? Fault { get; private init; }

    /// <summary>The special tokens by the names that templates use: <c>bos_token</c>, <c>eos_token</c>, ….</summary>
    public IReadOnlyDictionary<string, object> Variables { get; private init; } = new Dictionary<string, object>();

    /// <summary>Looks for a template; an empty one is none, as in the transformers library.</summary>
    /// <exception cref="TokenizerException">The tokenizer's files are malformed, apart from their template.</exception>
    public static TemplateSource? Find(string folder)
    {
        var tokens = TokenizerConfig.Load(folder);
        return Places.Select(place => Read(folder, place.File, place.Read))
            .FirstOrDefault(found => found is { Fault: not null } or { Text.Length: > 0 }) is { } source
            ? source with { Variables = VariablesOf(tokens) }
            : null;
    }

    private static TemplateSource? Read(string folder, string name, Func<string, TemplateSource?> read)
    {
        var file = Path.Combine(folder, name);
        try
        {
            return System.IO.File.Exists(file) ? read(file) : null;
        }
        catch (TokenizerException error)
        {
            // Clients see it, whom the folder's place is no business of.
            return new TemplateSource(file, "", null) { Fault = error.Message.Replace(file, name, StringComparison.Ordinal) };
        }
    }

    private static TemplateSource? ReadField(string file)
    {
        if (JsonField.ReadFile(file).Find(Field) is not { } field) return null;
        if (field.IsText) return new TemplateSource(file, field.Text(), null);
        var named = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, template) in Named(field)) named[name] = template.Text();
        return named.TryGetValue("default", out var text)
            ? new TemplateSource(file, text, named.GetValueOrDefault("tool_use"))
            : throw field.Error($"has no template named 'default' (it has {string.Join(", ", named.Keys)})");
    }

    /// <summary>Several templates stand in a list of objects or in one object.</summary>
    private static IEnumerable<(string Name, JsonField Template)> Named(JsonField field) => field switch
    {
        { IsObject: true } => field.Fields(),
        { IsList: true } => field.Items().Select(item => (item["name"].Text(), item["template"])),
        _ => throw field.Error("must be a text, a list of named templates or an object of templates by name"),
    };

    private static Dictionary<string, object> VariablesOf(TokenizerConfig config)
    {
        var variables = new Dictionary<string, object>(StringComparer.Ordinal);
        foreach (var name in Tokens)
            if (config.FindName(name) is { } token) variables[name] = TokenizerConfig.ReadTokenName(token);
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
