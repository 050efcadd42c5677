using System.CommandLine;
using DeRa.Text;

namespace DeRa.Lab.Commands;

/// <summary>Prompts on the command line, which are taken in turn.</summary>
internal sealed class TextPrompts
{
    private readonly Option<string[]> _prompts = new("--prompt")
    {
        Description = "Prompts, in which special tokens may be written, taken in turn; default: none, the text begins with what the "
            + "tokenizer puts before one",
        DefaultValueFactory = _ => [""],
    };

    public void AddTo(Command command) => command.Add(_prompts);

    public string[] Texts(ParseResult parsed) => parsed.GetRequiredValue(_prompts);

    /// <summary>The tokens of each prompt.</summary>
    /// <exception cref="LabException">One is empty, or longer than the context.</exception>
    public int[][] Encode(ParseResult parsed, ITokenizer tokenizer, int contextTokens)
    {
        var encoded = Texts(parsed).Select(prompt => tokenizer.Encode(prompt, parseSpecialTokens: true).ToArray()).ToArray();
        if (encoded.Any(tokens => tokens.Length == 0))
            throw new LabException($"{_prompts.Name} is empty, and the tokenizer puts nothing before a text.");
        return encoded.Max(tokens => tokens.Length) is var longest && longest > contextTokens
            ? throw new LabException($"{_prompts.Name} has {longest} tokens; the context allows 1 to {contextTokens}.")
            : encoded;
    }
}
