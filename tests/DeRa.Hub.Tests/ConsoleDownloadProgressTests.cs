using Xunit;

namespace DeRa.Hub.Tests;

public class ConsoleDownloadProgressTests
{
    private static string Show(bool isTerminal, params DownloadProgress[] reports)
    {
        var output = new StringWriter { NewLine = "\n" };
        using (var progress = new ConsoleDownloadProgress(output, isTerminal))
            foreach (var report in reports) progress.Report(report);
        return output.ToString();
    }

    private static readonly DownloadProgress[] Reports =
    [
        new("org/model", "config.json", 1000, 1000, 1000, 4_000_001_000),
        new("org/model", "model.safetensors", 2_000_000_000, 4_000_000_000, 2_000_001_000, 4_000_001_000),
        new("org/model", "model.safetensors", 4_000_000_000, 4_000_000_000, 4_000_001_000, 4_000_001_000),
    ];

    [Fact]
    public void A_terminal_gets_one_line_that_is_written_over()
    {
        var shown = Show(isTerminal: true, Reports);
        Assert.Equal(3, shown.Count(c => c == '\r'));
        Assert.Contains("org/model [############............]  50 %  2.0 GB of 4.0 GB", shown);
        Assert.EndsWith("] 100 %  4.0 GB of 4.0 GB\n", shown);
    }

    [Fact]
    public void Without_a_terminal_each_finished_file_gets_a_line_and_each_tenth_of_a_long_download() =>
        Assert.Equal("org/model: config.json, 1.0 kB\norg/model: 50 %, 2.0 GB of 4.0 GB\norg/model: model.safetensors, 4.0 GB\n",
            Show(isTerminal: false, Reports));

    [Fact]
    public void Without_a_terminal_a_tenth_is_told_once_and_a_short_download_by_its_files_alone()
    {
        var pieces = Enumerable.Range(1, 100).Select(i => new DownloadProgress("m", "f", i, 100, i * 10_000_000L, 1_000_000_000)).ToArray();
        Assert.Equal(10, Show(isTerminal: false, pieces).Count(c => c == '\n'));
        Assert.Equal("m: f, 0.1 kB\n", Show(isTerminal: false, [.. pieces.Select(piece => piece with { TotalBytes = 10_000 })]));
    }

    [Fact]
    public void A_note_has_a_line_of_its_own_also_in_the_middle_of_a_bar()
    {
        var output = new StringWriter { NewLine = "\n" };
        using var progress = new ConsoleDownloadProgress(output, isTerminal: true);
        progress.Note("first");
        progress.Report(Reports[0]);
        progress.Note("again");
        Assert.Matches("^first\n\r.*%.*\nagain\n$", output.ToString());
    }

    [Fact]
    public void Where_nothing_is_downloaded_nothing_is_shown() => Assert.Empty(Show(isTerminal: true));
}
