using System.CommandLine;
using DeRa.Hub;

namespace DeRa.Lab.Commands;

/// <summary>Options that name an existing folder: a model's or a tokenizer's.</summary>
internal static class ModelFolderOption
{
    /// <summary>The folder; null where the option is not given.</summary>
    /// <exception cref="LabException">There is none of that name.</exception>
    public static string? Folder(this ParseResult parsed, Option<string?> option) =>
        parsed.GetValue(option) is { } folder ? Existing(option, folder) : null;

    /// <inheritdoc cref="Folder"/>
    public static string RequiredFolder(this ParseResult parsed, Option<string> option) =>
        Existing(option, parsed.GetRequiredValue(option));

    private static string Existing(Option option, string folder)
    {
        if (Directory.Exists(folder)) return folder;
        throw new LabException(HubModels.Problem(folder) is { } problem
            ? $"{option.Name}: {problem}"
            : $"{option.Name}: there is no folder '{folder}' here. If it is a model on the Hub, 'dera pull {folder}' downloads it and "
                + "prints its folder.");
    }
}
