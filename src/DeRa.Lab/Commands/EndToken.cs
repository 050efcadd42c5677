using System.CommandLine;
using DeRa.Lab.Models;

namespace DeRa.Lab.Commands;

/// <summary>Which token ends a text.</summary>
internal static class EndToken
{
    /// <summary>An option that names another token than the model's folder.</summary>
    public static Option<int?> CreateOption() => new("--end-token")
    {
        Description = "Token id that ends a text; default: as the model folder says",
    };

    /// <summary>The token of the option, or else of the folder.</summary>
    /// <exception cref="LabException">It is not in the vocabulary.</exception>
    public static int Of(ParseResult parsed, Option<int?> option, string folder, TrainableDecoder model)
    {
        var token = parsed.GetValue(option) ?? ModelFolder.EndToken(folder);
        return token >= 0 && token < model.Config.VocabularySize ? token
            : throw new LabException($"{option.Name} is {token}; it must be between 0 and {model.Config.VocabularySize - 1}.");
    }
}
