using System.Diagnostics;
using System.Globalization;
using DeRa.Testing;
using Xunit;

namespace DeRa.Lab.Tests.Commands;

/// <summary>The program itself, killed and interrupted while it trains.</summary>
public sealed class KilledTrainingTests(TinyPair pair)
{
    private const int Steps = 250;

    [Fact]
    public async Task Killed_and_interrupted_training_ends_with_the_same_curve_and_weights()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs signals");
        using var folder = new TemporaryFolder();
        var (whole, cut) = (Path.Combine(folder.Path, "whole"), Path.Combine(folder.Path, "cut"));

        await StartAndStopAsync(cut, "-KILL", minimumSteps: 10);
        Assert.False(File.Exists(Path.Combine(cut, "model.safetensors")), "it was finished before it was killed");
        var killedAt = Checkpoint(cut);

        var (code, error) = await StartAndStopAsync(cut, "-TERM", minimumSteps: killedAt + 10);
        Assert.Equal((143, ""), (code, error));
        Assert.Equal(File.ReadAllLines(Path.Combine(cut, "training.jsonl")).Length, Checkpoint(cut));

        await LabRun.OutputAsync(pair.Train(cut, Steps));
        await LabRun.OutputAsync(pair.Train(whole, Steps));
        Assert.Equal(Steps, File.ReadAllLines(Path.Combine(whole, "training.jsonl")).Length);
        Assert.Equal(Names(whole), Names(cut));
        foreach (var name in Names(whole))
            Assert.Equal(File.ReadAllBytes(Path.Combine(whole, name)), File.ReadAllBytes(Path.Combine(cut, name)));
    }

    /// <summary>Runs the program until a checkpoint of so many steps is there, and sends it a signal.</summary>
    private async Task<(int Code, string Error)> StartAndStopAsync(string output, string signal, int minimumSteps)
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "dera-lab"), pair.Train(output, Steps))
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var stop = TestContext.Current.CancellationToken;
        var (printed, error) = (process.StandardOutput.ReadToEndAsync(stop), process.StandardError.ReadToEndAsync(stop));
        // A poll: the checkpoint decides, not the time.
        while (!process.HasExited && Checkpoint(output) < minimumSteps) await Task.Delay(2, stop);
        Assert.False(process.HasExited, "it ended by itself");
        using var self = Process.GetCurrentProcess();
        if (OperatingSystem.IsLinux() && self.PriorityClass == ProcessPriorityClass.Normal)
            Assert.Equal(10, NiceOfTheBusiestThread(process.Id));
        using var kill = Process.Start("kill", [signal, $"{process.Id}"]);
        await process.WaitForExitAsync(stop);
        await printed;
        return (process.ExitCode, await error);
    }

    /// <summary>From <c>/proc/PID/task/TID/stat</c> (proc(5)), whose third field follows the name in parentheses.</summary>
    private static int NiceOfTheBusiestThread(int process)
    {
        var threads = Directory.GetDirectories($"/proc/{process}/task").Select(thread => File.ReadAllText(Path.Combine(thread, "stat")))
            .Select(stat => stat[(stat.LastIndexOf(')') + 2)..].Split(' '));
        const int UserTime = 14 - 3, Nice = 19 - 3;
        return int.Parse(threads.MaxBy(fields => long.Parse(fields[UserTime], CultureInfo.InvariantCulture))![Nice],
            CultureInfo.InvariantCulture);
    }

    /// <summary>Steps of the newest checkpoint; 0 where there is none.</summary>
    private static int Checkpoint(string folder) => !Directory.Exists(folder) ? 0
        : Directory.GetDirectories(folder, "checkpoint-*").Select(path => Path.GetFileName(path)["checkpoint-".Length..])
            .Select(steps => int.TryParse(steps, out var count) ? count : 0).DefaultIfEmpty(0).Max();

    private static string[] Names(string folder) =>
        [.. Directory.GetFileSystemEntries(folder).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];
}
