using System.CommandLine;
using DeRa.Lab.Data;

namespace DeRa.Lab.Commands;

/// <summary>The options that name files with texts, and the fields in them.</summary>
/// <param name="files">The option that names the files.</param>
internal sealed class TextOptions(Option<string[]> files)
{
    private readonly Option<string> _prompt = new("--prompt-field")
    {
        Description = "The field of a .jsonl line that holds the prompt, such as question; a line may lack it only where this is not given",
        DefaultValueFactory = _ => new DocumentFields().Prompt,
    };

    private readonly Option<string> _completion = new("--completion-field")
    {
        Description = "The field of a .jsonl line that holds the text to learn, such as text, answer or chosen",
        DefaultValueFactory = _ => new DocumentFields().Completion,
    };

    public void AddTo(Command command)
    {
        command.Add(files);
        command.Add(_prompt);
        command.Add(_completion);
    }

    /// <summary>The files, all of which exist.</summary>
    /// <exception cref="LabException">One does not; or a field is named and no file has fields.</exception>
    public string[] Files(ParseResult parsed)
    {
        var paths = parsed.GetRequiredValue(files);
        if (paths.FirstOrDefault(path => !File.Exists(path)) is { } missing)
            throw new LabException($"{files.Name}: there is no file {missing}. {DocumentFile.Forms}");
        foreach (var field in (Option[])[_prompt, _completion])
            if (IsGiven(parsed, field) && !paths.Any(DocumentFile.IsJsonLines))
                throw new LabException($"{field.Name} names a field of .jsonl files; {files.Name} names none.");
        return paths;
    }

    /// <summary>The names of a line's fields.</summary>
    public DocumentFields Fields(ParseResult parsed) =>
        new(parsed.GetRequiredValue(_prompt), parsed.GetRequiredValue(_completion), IsGiven(parsed, _prompt));

    /// <summary>All documents of the files, in order.</summary>
    /// <exception cref="LabException">A file is missing, holds no text, or a line is not what the format asks for.</exception>
    public IReadOnlyList<Document> Read(ParseResult parsed) => DocumentFile.Read(Files(parsed), Fields(parsed));

    /// <summary>Where the texts come from, for the output of commands.</summary>
    public string Source(ParseResult parsed) => $"{files.Name} {string.Join(' ', parsed.GetRequiredValue(files))}";

    /// <summary>A command-line error; if texts are missing, with their format and a source.</summary>
    public static string Explained(string error) =>
        ((string[])["'--text'", "'--prompts'"]).Any(option => error.Contains(option, StringComparison.Ordinal))
            ? $"{error} {DocumentFile.Forms}" : error;

    private static bool IsGiven(ParseResult parsed, Option option) => parsed.GetResult(option) is { Implicit: false };
}
