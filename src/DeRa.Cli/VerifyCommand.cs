using System.CommandLine;
using System.Globalization;
using DeRa.Cli.Arguments;
using DeRa.Torch.Native;
using DeRa.Torch.Verification;

namespace DeRa.Cli;

/// <summary>
/// <c>dera verify</c>: compares a device's logits with the float64 ones of golden checkpoints, in one prefill, in chunks and
/// token by token. On a GPU machine this one command shows that CUDA equals the CPU path.
/// </summary>
internal static class VerifyCommand
{
    private static readonly Argument<string[]> s_folders = new("folder")
    {
        Description = "Folders that are golden checkpoints (golden/golden.json is in them) or have such below them",
        Arity = ArgumentArity.OneOrMore,
    };

    public static Command Create()
    {
        var device = new DeviceArguments();
        var command = new Command("verify",
            "Compare this machine's logits with those of golden checkpoints: a line for each, and below it the comparisons that failed.")
        {
            s_folders,
        };
        device.AddTo(command);
        command.SetAction((parsed, cancellation) => Task.FromResult(Run(
            parsed.GetRequiredValue(s_folders), device, parsed, parsed.InvocationConfiguration.Output, cancellation)));
        return command;
    }

    private static int Run(
        string[] roots, DeviceArguments device, ParseResult parsed, TextWriter output, CancellationToken cancellation)
    {
        var folders = roots.SelectMany(Find).ToArray();
        LibTorch.Load(device.LibTorch(parsed));
        var numbers = new NumberOptions
        {
            DType = device.DType(parsed),
            CacheDType = device.CacheDType(parsed),
            Kernels = device.Kernels(parsed),
        };
        var passed = 0;
        foreach (var (index, folder) in folders.Index())
        {
            cancellation.ThrowIfCancellationRequested();
            // Written before it runs: whoever waits sees for what.
            output.Write($"[{index + 1}/{folders.Length}] {folder}: ");
            output.Flush();
            var report = GoldenVerification.Run(folder, device.Device(parsed), numbers);
            if (report.Passed) passed++;
            output.WriteLine(Line(report));
            foreach (var check in report.Checks.Where(check => !check.Passed)) output.WriteLine("  " + Line(check));
        }
        output.WriteLine($"{passed} of {folders.Length} checkpoints passed");
        return passed == folders.Length ? 0 : 1;
    }

    private static IReadOnlyList<string> Find(string root) =>
        Directory.Exists(root) && GoldenVerification.Find(root) is { Count: > 0 } folders ? folders
            : throw new FormatException($"{root}: there is no golden checkpoint of a supported family in it or below it.");

    private static string Line(GoldenReport report)
    {
        var worst = report.Checks.MaxBy(check => check.LargestDifference / check.Bound)!;
        var vectors = report.VectorBits is { } bits ? $", {bits}-bit vectors" : "";
        return $"{report.ElementType} on {report.Device}{vectors}: {(report.Passed ? "passed" : "FAILED")}, "
            + $"{report.Checks.Count} comparisons, {Difference(worst)}";
    }

    private static string Line(GoldenCheck check) =>
        $"FAILED: {check.Case}, {check.Way}: {Difference(check)}, {check.GreedyDiffers} greedy tokens differ";

    private static string Difference(GoldenCheck check) => string.Create(CultureInfo.InvariantCulture,
        $"largest difference {check.LargestDifference:E2} of {check.Bound:E2} allowed");
}
