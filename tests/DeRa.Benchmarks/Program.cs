using System.Globalization;
using DeRa.Benchmarks;

// Run by hand; nothing here decides a test.
switch (args)
{
    case ["tokenizer", _, ..]:
        foreach (var folder in args[1..]) TokenizerBenchmark.Run(folder, Console.Out);
        return 0;
    case ["seeds", var server] when Uri.TryCreate(server, UriKind.Absolute, out var address):
        await SeedBenchmark.RunAsync(address, Console.Out);
        return 0;
    case ["turns", var reference, var aligned, .. var rest]:
        await TurnsBenchmark.RunAsync(
            reference, aligned, rest is [var tokens] ? int.Parse(tokens, CultureInfo.InvariantCulture) : 400, Console.Out);
        return 0;
    case ["steps", var model, .. var how] when how.Length <= 2:
        StepBenchmark.Run(model, how is [var kernels, ..] ? kernels : "auto", how is [_, var type] ? type : "auto", Console.Out);
        return 0;
    default:
        Console.Error.WriteLine(
            "usage: DeRa.Benchmarks tokenizer FOLDER [FOLDER...] | seeds http://localhost:8080 | turns REFERENCE ALIGNED [TOKENS] "
            + "| steps MODEL [KERNELS [DTYPE]]");
        return 2;
}
