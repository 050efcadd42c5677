using System.CommandLine;
using DeRa.Cli.Arguments;
using DeRa.Gateway.Balancing;

namespace DeRa.Cli.Simulate;

/// <summary><c>dera simulate</c>: how the gateway's policies divide conversations among many replicas.</summary>
internal static class SimulateCommand
{
    private static readonly NumberListOption<int> s_replicas =
        new("--replicas", "Replicas; of several numbers each is simulated by itself", [10, 100, 1000], 1, 10_000);

    private static readonly NumberListOption<int> s_prefixBytes =
        new("--prefix-bytes", "Bytes that a prompt begins with and that choose its replica", [1024, 16_384], 16, 1 << 20);

    private static readonly Option<int> s_requests =
        WholeNumberOption.Create("--requests", "Requests for each replica; the second half counts", 200, 2, 100_000);

    private static readonly NumberListOption<double> s_rate = new("--rate", "Requests a second for each replica", [3], .001, 1000);

    private static readonly Option<int> s_prefixes =
        WholeNumberOption.Create("--prefixes", "Instructions with which conversations begin, as frequent as Zipf's law says", 2000, 1, 1 << 20);

    private static readonly NumberListOption<double> s_zipf = new("--zipf", "The law's exponent", [1], 0, 10);

    private static readonly Option<int> s_seed = WholeNumberOption.Create("--seed", "Seeds all draws", 0, 0, int.MaxValue);

    private static readonly ReportFiles s_files = new();

    /// <summary>Declares it.</summary>
    public static Command Create()
    {
        var command = new Command("simulate", "Simulate many replicas behind a gateway, with its own code for choosing among them, under "
            + "conversations of several turns: what is cached, how even loads are, how long first tokens take. Nothing is loaded or sent.")
        {
            s_replicas, s_prefixBytes, s_requests, s_rate, s_prefixes, s_zipf, s_seed,
        };
        s_files.AddTo(command);
        command.SetAction(Run);
        return command;
    }

    private static Task<int> Run(ParseResult parsed, CancellationToken cancellation)
    {
        s_files.Check(parsed);
        var output = parsed.InvocationConfiguration.Output;
        var reports = new List<SimulationReport>();
        output.WriteLine(SimulationText.Head);
        foreach (var options in Variants(parsed))
        {
            reports.Add(Simulation.Run(options, cancellation));
            output.WriteLine(SimulationText.Row(reports[^1]));
        }
        s_files.Write(parsed, SimulationText.Json(reports), () => SimulationText.Plot(reports));
        return Task.FromResult(0);
    }

    private static IEnumerable<SimulationOptions> Variants(ParseResult parsed)
    {
        foreach (var replicas in s_replicas.NumbersOf(parsed))
            foreach (var rate in s_rate.NumbersOf(parsed))
                foreach (var zipf in s_zipf.NumbersOf(parsed))
                    foreach (var (policy, bytes) in Policies(s_prefixBytes.NumbersOf(parsed)))
                        yield return new SimulationOptions
                        {
                            Replicas = replicas,
                            RequestsPerReplica = parsed.GetValue(s_requests),
                            Rate = rate,
                            Policy = policy,
                            PrefixBytes = bytes,
                            Prefixes = parsed.GetValue(s_prefixes),
                            Zipf = zipf,
                            Seed = parsed.GetValue(s_seed),
                        };
    }

    /// <summary>What counts of a prompt matters to one policy only.</summary>
    private static IEnumerable<(PolicyName Policy, int PrefixBytes)> Policies(int[] prefixBytes) =>
    [
        .. prefixBytes.Select(bytes => (PolicyName.PrefixAffinity, bytes)),
        (PolicyName.LeastRequests, 0),
        (PolicyName.RoundRobin, 0),
    ];
}
