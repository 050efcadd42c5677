using System.CommandLine;
using DeRa.Cli.Bench.Pairs;
using DeRa.Cli.Bench.Serve;
using DeRa.Cli.Bench.Steps;

namespace DeRa.Cli.Bench;

/// <summary><c>dera bench</c>: how fast this machine runs a pair, and how fast a server is.</summary>
internal static class BenchCommand
{
    /// <summary>Declares it.</summary>
    public static Command Create() => new("bench", "Measure how fast a pair or a server is.")
    {
        PairCommand.Create(),
        StepsCommand.Create(),
        ServeCommand.Create(),
    };
}
