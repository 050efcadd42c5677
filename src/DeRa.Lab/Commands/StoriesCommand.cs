using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using DeRa.Lab.Data;

namespace DeRa.Lab.Commands;

/// <summary><c>dera-lab stories</c>: the texts that the default pair is trained on, from the TinyStories files.</summary>
internal static class StoriesCommand
{
    private static readonly Option<string> s_cased = new("--cased")
    {
        Description = "Stories with capitals, <|endoftext|> between them",
        Required = true,
    };

    private static readonly Option<string> s_lowercase = new("--lowercase")
    {
        Description = "Stories in lower case, a line end between them",
        Required = true,
    };

    private static readonly Option<string> s_output = new("--output")
    {
        Description = "Folder for stories.txt, chats.jsonl and held-out.txt",
        Required = true,
    };

    private static readonly Option<int> s_seed = new("--seed")
    {
        Description = "Decides which 100 stories are held out, and how the chats ask",
        DefaultValueFactory = _ => 1,
    };

    private static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Command Create()
    {
        var command = new Command("stories",
            "Put together the texts of the default pair: stories, chats that ask for them, held-out stories.")
        {
            s_cased, s_lowercase, s_output, s_seed,
        };
        command.SetAction(Run);
        return command;
    }

    private static int Run(ParseResult parsed)
    {
        foreach (var option in (Option<string>[])[s_cased, s_lowercase])
            if (parsed.GetRequiredValue(option) is var file && !File.Exists(file))
                throw new LabException($"{option.Name}: there is no file {file}. {option.Description}; {DocumentFile.Forms}");
        var seed = parsed.GetValue(s_seed);
        var stories = StoryTexts.Read(parsed.GetRequiredValue(s_cased), parsed.GetRequiredValue(s_lowercase), seed);
        var random = new Random(seed);
        var chats = stories.Training.Select(story => StoryRequests.For(story, random)).OfType<Document>().ToArray();
        var folder = Directory.CreateDirectory(parsed.GetRequiredValue(s_output)).FullName;
        var separator = "\n" + DocumentFile.Separator + "\n";
        File.WriteAllText(Path.Combine(folder, "stories.txt"), string.Join(separator, stories.Training) + separator);
        File.WriteAllText(Path.Combine(folder, "held-out.txt"), string.Join(separator, stories.HeldOut) + separator);
        File.WriteAllLines(Path.Combine(folder, "chats.jsonl"), chats.Select(chat =>
            JsonSerializer.Serialize(new { prompt = chat.Prompt, completion = chat.Text }, Readable)));
        parsed.InvocationConfiguration.Output.WriteLine(
            $"{stories.Training.Count} stories, {chats.Length} chats, {stories.HeldOut.Count} held out, in {folder}");
        return 0;
    }
}
