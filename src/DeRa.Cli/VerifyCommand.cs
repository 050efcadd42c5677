using System.CommandLine;
using System.Globalization;
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
        var command = new Command("verify", "Compare this machine's logits with those of golden checkpoints.") { s_folders };
        device.AddTo(command);
        command.SetAction((parsed, _) => Task.FromResult(Run(
            parsed.GetRequiredValue(s_folders), device, parsed, parsed.InvocationConfiguration.Output)));
        return command;
    }

    private static int Run(string[] roots, DeviceArguments device, ParseResult parsed, TextWriter output)
    {
        var folders = roots.SelectMany(Find).ToArray();
        LibTorch.Load(device.LibTorch(parsed));
        var passed = 0;
        foreach (var folder in folders)
        {
            var report = GoldenVerification.Run(folder, device.Device(parsed), device.DType(parsed));
            if (report.Passed) passed++;
            output.WriteLine($"{folder}: {report.ElementType} on {report.Device}: {(report.Passed ? "passed" : "FAILED")}");
            foreach (var check in report.Checks) output.WriteLine(Line(check));
        }
        output.WriteLine($"{passed} of {folders.Length} checkpoints passed");
        return passed == folders.Length ? 0 : 1;
    }

    private static IReadOnlyList<string> Find(string root) =>
        Directory.Exists(root) && GoldenVerification.Find(root) is { Count: > 0 } folders ? folders
            : throw new FormatException($"{root}: there is no golden checkpoint of a supported family in it or below it.");

    private static string Line(GoldenCheck check) => string.Create(CultureInfo.InvariantCulture,
        $"  {check.Case}, {check.Way}: largest difference {check.LargestDifference:E2} of {check.Bound:E2} allowed, ")
        + $"{check.GreedyDiffers} greedy tokens differ{(check.Passed ? "" : ": FAILED")}";
}
