using DeRa.Lab.Data;
using DeRa.Testing;
using Xunit;

namespace DeRa.Lab.Tests.Data;

public sealed class PromptFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Prompt_fields_are_prompts_with_a_completion_or_without()
    {
        var file = _folder.Write("p.jsonl", "{\"prompt\": \"Hi\"}\n{\"prompt\": \"Ho\", \"completion\": \"x\"}\n{\"prompt\": \"Hi\"}\n");
        var prompts = PromptFile.Read([file], new DocumentFields(), new ByteTokenizer(), beginTokens: 1);
        Assert.Equal(["Hi", "Ho"], prompts.Select(prompt => prompt.Text));
        Assert.Equal([ByteTokenizer.Bos, 'H', 'i'], prompts[0].Tokens);
    }

    [Fact]
    public void Texts_give_their_beginnings()
    {
        var file = _folder.Write("p.txt", "Once upon<|endoftext|>One day<|endoftext|>Onceler");
        var prompts = PromptFile.Read([file], new DocumentFields(), new ByteTokenizer(), beginTokens: 4);
        Assert.Equal(["Once", "One "], prompts.Select(prompt => prompt.Text));
        Assert.Equal([ByteTokenizer.Bos, 'O', 'n', 'c', 'e'], prompts[0].Tokens);
    }

    [Fact]
    public void A_line_without_any_text_is_named()
    {
        var file = _folder.Write("p.jsonl", "{\"prompt\": \"Hi\"}\n{}\n");
        Assert.Contains("line 2",
            Assert.Throws<LabException>(() => PromptFile.Read([file], new DocumentFields(), new ByteTokenizer(), 1)).Message);
    }
}
