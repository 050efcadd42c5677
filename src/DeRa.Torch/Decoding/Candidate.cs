using System.Runtime.CompilerServices;

namespace DeRa.Torch.Decoding;

/// <summary>A token that may be sampled.</summary>
internal struct Candidate
{
    /// <summary>Its id.</summary>
    public int Token { get; init; }

    /// <summary>Its logit after temperature, the row's largest subtracted: at most 0.</summary>
    public float Scaled { get; init; }

    /// <summary>What it adds to the sum that a filter limits: 1, or e to the power of <see cref="Scaled"/>.</summary>
    public float Weight { get; set; }

    /// <summary>Filters keep the smallest first; of equal ones the lowest id.</summary>
    public double Order { get; set; }

    /// <summary>Whether it is kept rather than another one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly bool Precedes(in Candidate other) => Order < other.Order || (Order == other.Order && Token < other.Token);

    /// <summary>Sorts those that precede first.</summary>
    public static int Compare(Candidate left, Candidate right) => left.Precedes(right) ? -1 : right.Precedes(left) ? 1 : 0;
}
