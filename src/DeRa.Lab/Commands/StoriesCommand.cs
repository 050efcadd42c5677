using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using DeRa.Lab.Data;

namespace DeRa.Lab.Commands;

/// <summary><c>dera-lab stories</c>: the texts that the default pair is trained on, from TinyStories files.</summary>
internal static class StoriesCommand
{
    private static readonly Option<string[]> s_text = new("--text")
    {
        Description = "Files of stories to learn from, with <|endoftext|> between stories; or without capitals, with a line end between. "
            + "The first and the last story of a file may be cut, and are left out",
        Required = true,
        AllowMultipleArgumentsPerToken = true,
    };

    private static readonly Option<string> s_heldOut = new("--held-out")
    {
        Description = "File of stories to measure with; none of them is learned from",
        Required = true,
    };

    private static readonly Option<string> s_output = new("--output")
    {
        Description = "Folder for stories.txt, chats.jsonl, held-out.txt, held-out-chats.jsonl and words.txt",
        Required = true,
    };

    private static readonly Option<int> s_seed = new("--seed")
    {
        Description = "Decides how the chats ask",
        DefaultValueFactory = _ => 1,
    };

    private static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Command Create()
    {
        var command = new Command("stories",
            "Put together the texts of the default pair: cleaned stories, chats that ask for them, held-out ones, and all their words.")
        {
            s_text, s_heldOut, s_output, s_seed,
        };
        command.SetAction(Run);
        return command;
    }

    private static int Run(ParseResult parsed)
    {
        var (files, heldOut) = (parsed.GetRequiredValue(s_text), parsed.GetRequiredValue(s_heldOut));
        foreach (var (option, file) in files.Select(file => ((Option)s_text, file)).Append((s_heldOut, heldOut)))
            if (!File.Exists(file)) throw new LabException($"{option.Name}: there is no file {file}. {DocumentFile.Forms}");
        var stories = StoryTexts.Read(files, heldOut);
        var folder = Directory.CreateDirectory(parsed.GetRequiredValue(s_output)).FullName;
        var requests = new StoryRequests(Nouns.Learn(stories.Training));
        var random = new Random(parsed.GetValue(s_seed));
        WriteStories(folder, "stories.txt", stories.Training);
        WriteChats(folder, "chats.jsonl", stories.Training.Select(story => requests.For(story, random)));
        WriteStories(folder, "held-out.txt", stories.HeldOut);
        WriteChats(folder, "held-out-chats.jsonl", stories.HeldOut.Select(story => requests.For(story, random)));
        File.WriteAllLines(Path.Combine(folder, "words.txt"), StoryWords.Of(stories.Training));
        parsed.InvocationConfiguration.Output.WriteLine(
            $"{stories.Counts}\n{Size(stories.Training)} to learn from, {Size(stories.HeldOut)} held out, in {folder}");
        return 0;
    }

    private static string Size(IReadOnlyList<string> stories) =>
        FormattableString.Invariant($"{stories.Count} stories ({stories.Sum(story => (long)story.Length):N0} characters)");

    private static void WriteStories(string folder, string name, IReadOnlyList<string> stories)
    {
        var separator = "\n" + DocumentFile.Separator + "\n";
        File.WriteAllText(Path.Combine(folder, name), string.Join(separator, stories) + separator);
    }

    private static void WriteChats(string folder, string name, IEnumerable<Document> chats) =>
        File.WriteAllLines(Path.Combine(folder, name), chats.Select(chat =>
            JsonSerializer.Serialize(new { prompt = chat.Prompt, completion = chat.Text }, Readable)));
}
