using System.CommandLine;

namespace DeRa.Cli.Arguments;

/// <summary><c>--json</c> and <c>--plot</c>, of commands that measure.</summary>
/// <param name="hasPlot">Whether there are plots.</param>
internal sealed class ReportFiles(bool hasPlot = true)
{
    private readonly Option<string?> _json = new("--json") { Description = "File that takes the same figures as JSON" };
    private readonly Option<string?> _plot = new("--plot") { Description = "File that takes plots of them as SVG" };

    /// <summary>Declares them.</summary>
    public void AddTo(Command command)
    {
        command.Add(_json);
        if (hasPlot) command.Add(_plot);
    }

    /// <summary>Before anything is measured for nothing: the files' folders exist.</summary>
    /// <exception cref="FormatException">One does not; the message names the option.</exception>
    public void Check(ParseResult parsed)
    {
        foreach (var option in (Option<string?>[])[_json, _plot])
            if (parsed.GetValue(option) is { } file
                && Path.GetDirectoryName(Path.GetFullPath(file)) is var folder && !Directory.Exists(folder))
                throw new FormatException($"{option.Name} is {file}, but there is no folder {folder}.");
    }

    /// <summary>Writes those that are asked for.</summary>
    /// <exception cref="IOException">One cannot be written.</exception>
    public void Write(ParseResult parsed, string json, Func<string>? plot = null)
    {
        if (parsed.GetValue(_json) is { } jsonFile) File.WriteAllText(jsonFile, json + "\n");
        if (parsed.GetValue(_plot) is { } plotFile) File.WriteAllText(plotFile, plot!());
    }
}
