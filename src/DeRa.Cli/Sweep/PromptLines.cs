using System.Text;
using System.Text.Json;
using DeRa.Cli.Score;
using DeRa.Serving.Requests;
using DeRa.Serving.Sweeps;
using DeRa.Text.Chat;

namespace DeRa.Cli.Sweep;

/// <summary>
/// Reads files of prompts: JSON lines (<c>.jsonl</c>), a JSON list (<c>.json</c>), or lines of text. An object's prompt is in the field
/// that is named, else in the first of <c>messages</c>, <c>turns</c> (MT-Bench), <c>instruction</c> (AlpacaEval), <c>prompt</c> and
/// <c>question</c> that it has; the first three are chats.
/// </summary>
/// <param name="field">The field that holds the prompt; null = the first that is known.</param>
/// <param name="areChats">Whether all texts are what a user says in a chat.</param>
internal sealed class PromptLines(string? field, bool areChats)
{
    private static readonly string[] s_fields = ["messages", "turns", "instruction", "prompt", "question"];
    private static readonly string[] s_chatFields = ["turns", "instruction"];

    /// <summary>Reads a file.</summary>
    /// <exception cref="FormatException">A prompt is of another form, or there is none; the message names file and place.</exception>
    public IReadOnlyList<SweepPrompt> Read(string path)
    {
        try
        {
            var text = File.ReadAllText(path, new UTF8Encoding(false, throwOnInvalidBytes: true));
            var prompts = (Path.GetExtension(path) is ".json" ? Elements(path, text) : Lines(path, text)).ToList();
            return prompts.Count > 0 ? prompts : throw new FormatException($"--prompts: {path} holds no prompt; at least one is needed.");
        }
        catch (DecoderFallbackException)
        {
            throw new FormatException($"{path}: it holds bytes that are not UTF-8.");
        }
    }

    private IEnumerable<SweepPrompt> Elements(string path, string text)
    {
        var list = At(path, () => JsonElement.Parse(text));
        if (list.ValueKind != JsonValueKind.Array) throw new FormatException($"{path}: it must be a JSON list of prompts.");
        return list.EnumerateArray().Select((element, index) => At($"{path}[{index}]", () => Prompt(element, $"{path}[{index}]")));
    }

    private IEnumerable<SweepPrompt> Lines(string path, string text)
    {
        var isJson = Path.GetExtension(path) == ".jsonl";
        foreach (var (index, line) in text.ReplaceLineEndings("\n").Split('\n').Index())
        {
            var place = $"{path}:{index + 1}";
            if (!string.IsNullOrWhiteSpace(line))
                yield return isJson ? At(place, () => Prompt(JsonElement.Parse(line), place)) : OfText(line, place, areChats);
        }
    }

    private SweepPrompt Prompt(JsonElement element, string place)
    {
        if (element.ValueKind == JsonValueKind.String) return OfText(element.GetString()!, place, areChats);
        var fields = LineFields.Parse(element.GetRawText());
        var name = field ?? s_fields.FirstOrDefault(fields.Has)
            ?? throw new FormatException($"it has none of the fields {string.Join(", ", s_fields)}; --prompt-field names another.");
        var prompt = fields.IsConversation(name) ? OfMessages(fields.Messages(name), place)
            : OfText(name == "turns" ? Turns(element, name)[0] : fields.Text(name), place, areChats || s_chatFields.Contains(name));
        return prompt with
        {
            Item = element,
            Form = name switch { "turns" => PromptForm.MtBench, "instruction" => PromptForm.AlpacaEval, _ => PromptForm.Other },
            FurtherTurns = name == "turns" ? [.. Turns(element, name).Skip(1)] : [],
        };
    }

    private static string[] Turns(JsonElement element, string name) =>
        element.GetProperty(name) is { ValueKind: JsonValueKind.Array } turns && turns.GetArrayLength() > 0
            && turns.EnumerateArray().All(turn => turn.ValueKind == JsonValueKind.String)
            ? [.. turns.EnumerateArray().Select(turn => turn.GetString()!)]
            : throw new FormatException($"'{name}' must be a list of at least one text.");

    private static SweepPrompt OfText(string text, string place, bool isChat) =>
        isChat ? OfMessages([new ChatMessage("user", text)], place) : new SweepPrompt(new TextPrompt(text), text, place);

    private static SweepPrompt OfMessages(IReadOnlyList<ChatMessage> messages, string place) =>
        new(new ChatPrompt(messages), messages[^1].Content, place);

    private static T At<T>(string place, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception wrong) when (wrong is FormatException or JsonException)
        {
            throw new FormatException($"{place}: {wrong.Message}", wrong);
        }
    }
}
