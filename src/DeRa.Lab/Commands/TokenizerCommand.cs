using System.CommandLine;
using DeRa.Lab.Tokenizers;

namespace DeRa.Lab.Commands;

/// <summary><c>dera-lab tokenizer</c>: trains a byte-level BPE tokenizer.</summary>
internal static class TokenizerCommand
{
    private static readonly TextOptions s_text = new(new Option<string[]>("--text")
    {
        Description = "Files to learn from, as for train",
        Required = true,
        AllowMultipleArgumentsPerToken = true,
    });

    private static readonly Option<int> s_size = new("--vocabulary")
    {
        Description = $"Tokens in all; at least {256 + ZephyrTemplate.SpecialTokens.Count} "
            + $"(the bytes and {string.Join(", ", ZephyrTemplate.SpecialTokens)})",
        DefaultValueFactory = _ => 4096,
    };

    private static readonly Option<int> s_context = WholeNumberOption.Create("--context", "Most tokens that the model will read", 512);

    private static readonly Option<string> s_output = new("--output") { Description = "Folder for the tokenizer's files", Required = true };

    public static Command Create()
    {
        var command = new Command("tokenizer", "Train a byte-level BPE tokenizer; other programs of Hugging Face's layout load it too.")
        {
            s_size, s_context, s_output,
        };
        s_text.AddTo(command);
        command.SetAction(Run);
        return command;
    }

    private static int Run(ParseResult parsed)
    {
        var texts = s_text.Read(parsed);
        var trained = BpeTrainer.Train(
            texts.SelectMany(text => new[] { text.Prompt, text.Text }), parsed.GetValue(s_size), ZephyrTemplate.SpecialTokens);
        TokenizerFolder.Write(parsed.GetRequiredValue(s_output), trained, parsed.GetValue(s_context));
        parsed.InvocationConfiguration.Output.WriteLine(
            $"{trained.Vocabulary.Count} tokens in {parsed.GetRequiredValue(s_output)}, "
            + $"of {texts.Count} documents of {s_text.Source(parsed)}");
        return 0;
    }
}
