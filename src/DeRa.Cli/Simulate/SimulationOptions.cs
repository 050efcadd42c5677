using DeRa.Gateway.Balancing;

namespace DeRa.Cli.Simulate;

/// <summary>What is simulated.</summary>
internal sealed record SimulationOptions
{
    /// <summary>Replicas behind the gateway.</summary>
    public int Replicas { get; init; } = 1000;

    /// <summary>Requests for each of them; the second half counts.</summary>
    public int RequestsPerReplica { get; init; } = 200;

    /// <summary>Requests a second for each of them.</summary>
    public double Rate { get; init; } = 3;

    /// <summary>What chooses a request's replica.</summary>
    public PolicyName Policy { get; init; } = PolicyName.PrefixAffinity;

    /// <summary>Bytes of a prompt that count.</summary>
    public int PrefixBytes { get; init; } = 1024;

    /// <summary>Instructions with which conversations begin.</summary>
    public int Prefixes { get; init; } = 2000;

    /// <summary>Zipf's exponent: the k-th of them is k^−exponent times as frequent as the first.</summary>
    public double Zipf { get; init; } = 1;

    /// <summary>Of all draws.</summary>
    public int Seed { get; init; }

    /// <summary>How these rows are called.</summary>
    public string Name => Policy == PolicyName.PrefixAffinity
        ? $"{Hosting.Options.OptionWords.Format(Policy)}, {PrefixBytes:N0} bytes" : Hosting.Options.OptionWords.Format(Policy);
}
