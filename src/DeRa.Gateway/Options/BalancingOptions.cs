using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using DeRa.Gateway.Balancing;

namespace DeRa.Gateway.Options;

/// <summary>Which replica gets a request.</summary>
public sealed record BalancingOptions
{
    /// <summary>The policy.</summary>
    [Description("What chooses a request's replica: what its prompt begins with, as long as loads are even; the lower load of two random "
        + "replicas; or one after the other.")]
    public PolicyName Policy { get; init; } = PolicyName.PrefixAffinity;

    /// <summary>Bytes of a prompt that choose its replica.</summary>
    [Description("Bytes that a prompt or the messages of a chat, up to the first of a user, begin with and that choose the replica."),
        Range(16, 1 << 20)]
    public int PrefixBytes { get; init; } = 1024;

    /// <summary>What a replica's load may be of the mean.</summary>
    [Description("What a replica's load may be of the mean of all before a request goes past it."), Range(1.0, 100.0)]
    public double LoadBound { get; init; } = PrefixAffinity.DefaultBound;
}
