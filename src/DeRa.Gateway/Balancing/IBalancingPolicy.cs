namespace DeRa.Gateway.Balancing;

/// <summary>Chooses the replica of a request. Any thread.</summary>
public interface IBalancingPolicy
{
    /// <summary>Chooses one.</summary>
    /// <param name="key">The hash of what the request begins with; null = it has no prompt.</param>
    /// <param name="candidates">At least one.</param>
    Choice Choose(ulong? key, ReadOnlySpan<Candidate> candidates);
}
