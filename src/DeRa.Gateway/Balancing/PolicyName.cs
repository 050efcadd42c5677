namespace DeRa.Gateway.Balancing;

/// <summary>The policies, by name.</summary>
public enum PolicyName
{
    /// <summary><see cref="Balancing.PrefixAffinity"/>.</summary>
    PrefixAffinity,

    /// <summary><see cref="Balancing.LeastRequests"/>.</summary>
    LeastRequests,

    /// <summary><see cref="Balancing.RoundRobin"/>.</summary>
    RoundRobin,
}

/// <summary>Makes policies by their names.</summary>
public static class Policies
{
    /// <summary>Makes one.</summary>
    /// <param name="name">Which.</param>
    /// <param name="seed">Of its random choices.</param>
    /// <param name="bound">Of <see cref="PrefixAffinity"/>.</param>
    public static IBalancingPolicy Create(PolicyName name, ulong seed, double bound = PrefixAffinity.DefaultBound) => name switch
    {
        PolicyName.PrefixAffinity => new PrefixAffinity(seed, bound),
        PolicyName.LeastRequests => new LeastRequests(seed),
        _ => new RoundRobin(),
    };
}
