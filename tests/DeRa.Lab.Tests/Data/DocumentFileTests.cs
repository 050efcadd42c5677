using DeRa.Lab.Data;
using DeRa.Testing;
using Xunit;

namespace DeRa.Lab.Tests.Data;

public sealed class DocumentFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Plain_text_is_split_at_its_separators() =>
        Assert.Equal(
            [new Document("", "One.\n\nStill one."), new Document("", "Two.")],
            DocumentFile.Read(_folder.Write("texts.txt", "One.\n\nStill one.\n<|endoftext|>\n\n Two. <|endoftext|>\n<|endoftext|>")));

    [Fact]
    public void Lines_of_JSON_are_prompts_and_completions_whose_spaces_count() =>
        Assert.Equal(
            [new Document("Say:", " yes\n"), new Document("", "é")],
            DocumentFile.Read(_folder.Write(
                "texts.jsonl", "{\"prompt\": \"Say:\", \"completion\": \" yes\\n\"}\n\n{\"completion\": \"\\u00e9\"}\n")));

    [Fact]
    public void Files_follow_one_another_in_order() =>
        Assert.Equal(["b", "a"],
            DocumentFile.Read([_folder.Write("1.txt", "b"), _folder.Write("2.txt", "a")], new DocumentFields())
                .Select(document => document.Text));

    [Theory]
    [InlineData("{\"completion\": \"good\"}\n{\"completion\": ", "line 2")]
    [InlineData("\n\n{\"prompt\": \"no completion\"}", "line 3")]
    [InlineData("{\"completion\": \"\"}", "line 1")]
    [InlineData("{\"completion\": 5}", "line 1")]
    [InlineData("{\"completion\": null}", "line 1")]
    [InlineData("{\"prompt\": [], \"completion\": \"x\"}", "line 1")]
    [InlineData("[\"completion\"]", "line 1")]
    [InlineData("\"text\"", "line 1")]
    [InlineData("{\"completion\": \"\\ud800\"}", "line 1")]
    public void A_broken_line_is_named(string content, string line)
    {
        var path = _folder.Write("texts.jsonl", content);
        var bad = Assert.Throws<LabException>(() => DocumentFile.Read(path));
        Assert.Contains(path, bad.Message);
        Assert.Contains(line, bad.Message);
    }

    [Theory]
    [InlineData("empty.txt", "")]
    [InlineData("blank.txt", " \n<|endoftext|>\n ")]
    [InlineData("empty.jsonl", "\n")]
    public void A_file_without_text_is_named(string name, string content)
    {
        var path = _folder.Write(name, content);
        Assert.Equal($"{path}: holds no text.", Assert.Throws<LabException>(() => DocumentFile.Read(path)).Message);
    }

    [Theory]
    [InlineData("texts.jsonl")]
    [InlineData("TEXTS.JSONL")]
    public void Fields_may_have_other_names(string name) =>
        Assert.Equal([new Document("Why?", "So."), new Document("How?", "Thus.")],
            DocumentFile.Read(_folder.Write(name, """
                {"question": "Why?", "answer": "So.", "prompt": "another", "id": 5}
                {"answer": "Thus.", "question": "How?"}
                """), new DocumentFields("question", "answer", RequiresPrompt: true)));

    [Theory]
    [InlineData("{\"text\": \"once\", \"id\": 1}",
        "line 1 has no text 'completion'; its fields are 'text', 'id', and --completion-field says")]
    [InlineData("{}", "line 1 has no text 'completion'")]
    [InlineData("{\"completion\": [\"a\"]}", "line 1: 'completion' is not a text but a list")]
    [InlineData("{\"completion\": \"a\", \"prompt\": {}}", "line 1: 'prompt' is not a text but an object")]
    [InlineData("{\"completion\": 5}", "line 1: 'completion' is not a text but 5")]
    public void A_field_that_is_missing_or_no_text_is_named(string line, string message) =>
        Assert.Contains(message, Assert.Throws<LabException>(() => DocumentFile.Read(_folder.Write("texts.jsonl", line))).Message);

    [Fact]
    public void A_prompt_field_that_is_asked_for_by_name_must_be_there()
    {
        var path = _folder.Write("texts.jsonl", "{\"question\": \"Why?\", \"completion\": \"So.\"}");
        var bad = Assert.Throws<LabException>(() => DocumentFile.Read(path, new DocumentFields("questoin", RequiresPrompt: true)));
        Assert.Contains("has no text 'questoin'; its fields are 'question', 'completion', and --prompt-field says", bad.Message);
    }

    [Fact]
    public void A_file_that_is_not_there_is_named_with_where_there_are_texts_and_in_which_form()
    {
        var bad = Assert.Throws<LabException>(() => DocumentFile.Read(Path.Combine(_folder.Path, "none.txt"))).Message;
        foreach (var said in (string[])["none.txt", "TinyStories", "<|endoftext|>", ".jsonl"]) Assert.Contains(said, bad);
    }
}
