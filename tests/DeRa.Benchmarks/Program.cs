using DeRa.Benchmarks;

// Run by hand; nothing here decides a test.
if (args is not ["tokenizer", _, ..])
{
    Console.Error.WriteLine("usage: DeRa.Benchmarks tokenizer FOLDER [FOLDER...]");
    return 2;
}
foreach (var folder in args[1..]) TokenizerBenchmark.Run(folder, Console.Out);
return 0;
