using System.Text;
using System.Text.Json;
using DeRa.Serving.Requests;
using DeRa.Serving.Scoring;
using DeRa.Text.Chat;

namespace DeRa.Cli.Score;

/// <summary>Reads files of one JSON object a line; empty lines are skipped, and fields that nobody here knows.</summary>
internal static class ScoreLines
{
    private const string Assistant = "assistant";

    /// <summary>Reads texts to score: prompt and continuation, or messages.</summary>
    /// <exception cref="FormatException">A line is of another form, or there is none; the message names file and line.</exception>
    public static IReadOnlyList<ScoreLine> ReadItems(string path) => Read(path, fields => [Item(fields)]);

    /// <summary>Reads pairs of which one text is preferred.</summary>
    /// <inheritdoc cref="ReadItems"/>
    public static IReadOnlyList<ScoreLine> ReadPreferences(string path) =>
        Read(path, fields => [Side(fields, "chosen"), Side(fields, "rejected")]);

    private static List<ScoreLine> Read(string path, Func<LineFields, IReadOnlyList<ScoreItem>> read)
    {
        var lines = new List<ScoreLine>();
        var number = 0;
        try
        {
            foreach (var line in File.ReadLines(path, new UTF8Encoding(false, throwOnInvalidBytes: true)))
            {
                number++;
                if (!string.IsNullOrWhiteSpace(line)) lines.Add(new ScoreLine(number, read(LineFields.Parse(line))));
            }
        }
        catch (DecoderFallbackException)
        {
            throw new FormatException($"{path}: it holds bytes that are not UTF-8, after line {number}.");
        }
        catch (Exception wrong) when (wrong is FormatException or JsonException)
        {
            throw new FormatException($"{path}:{number}: {wrong.Message}", wrong);
        }
        return lines.Count > 0 ? lines : throw new FormatException($"{path} holds no line; at least one is needed.");
    }

    private static ScoreItem Item(LineFields fields)
    {
        if (!fields.Has("messages"))
            return new ScoreItem(fields.TextOrTokens("prompt"), fields.TextOrTokens("continuation"), "continuation");
        if (fields.Has("prompt") || fields.Has("continuation"))
            throw new FormatException("'messages' stands beside 'prompt' or 'continuation'; a line has one of both.");
        return new ScoreItem(new ChatPrompt(fields.Messages("messages")), null, "messages");
    }

    /// <summary>One of the two texts of a pair, after what both begin with.</summary>
    private static ScoreItem Side(LineFields fields, string name)
    {
        var context = fields.Has("messages") ? "messages" : "prompt";
        if (fields.IsConversation(context))
            return Reply([.. fields.Messages(context), .. Messages(fields, name)], name);
        if (!fields.IsConversation(name))
            return new ScoreItem(fields.TextOrTokens(context), fields.TextOrTokens(name), name);
        var messages = Messages(fields, name);
        // Data sets give the first message as 'prompt' again beside whole conversations.
        return Reply(messages.Count > 1 ? messages : [new ChatMessage("user", fields.Text(context)), .. messages], name);
    }

    private static IReadOnlyList<ChatMessage> Messages(LineFields fields, string name) =>
        fields.IsConversation(name) ? fields.Messages(name) : [new ChatMessage(Assistant, fields.Text(name))];

    private static ScoreItem Reply(IReadOnlyList<ChatMessage> messages, string name) => new(new ChatPrompt(messages, name), null, name);
}
