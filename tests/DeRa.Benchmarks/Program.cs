using System.CommandLine;
using DeRa.Benchmarks;
using DeRa.Text;
using DeRa.Torch.Execution;
using DeRa.Torch.Weights;

var root = new RootCommand("Benchmarks, run by hand; nothing here decides a test.")
{
    TokenizerBenchmark.Create(),
    SeedBenchmark.Create(),
    TurnsBenchmark.Create(),
    FirstTokenBenchmark.Create(),
    WaitingBenchmark.Create(),
};
var parsed = root.Parse(args);
if (parsed.Errors.Count > 0)
{
    Console.Error.WriteLine(string.Join(' ', parsed.Errors.Select(error => error.Message)));
    return 2;
}
try
{
    return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
}
catch (Exception bad) when (
    bad is ArgumentException or FormatException or IOException or CheckpointException or TokenizerException or PairLoadException)
{
    Console.Error.WriteLine(bad.Message);
    return 2;
}
