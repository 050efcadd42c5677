using System.Numerics;

namespace DeRa.Torch.Decoding;

/// <summary>Selects from candidates by their order without sorting all of them.</summary>
internal static class CandidateSelection
{
    /// <summary>So few are sorted.</summary>
    private const int Few = 32;

    /// <summary>
    /// Moves to the front those candidates before which the sum of weights, taken in order, is below a limit; in no particular order.
    /// </summary>
    /// <param name="candidates">Changed in place; no token twice.</param>
    /// <param name="limit">Above 0.</param>
    /// <returns>How many they are.</returns>
    public static int MoveFirst(Span<Candidate> candidates, double limit)
    {
        var (start, end, before) = (0, candidates.Length, 0.0);
        // Halves the range on average; where pivots are unlucky again and again, sorts what is left.
        for (var rounds = 4 * BitOperations.Log2((uint)candidates.Length + 1); end - start > Few && rounds > 0; rounds--)
        {
            var middle = start + Partition(candidates[start..end]);
            var sum = before + Sum(candidates[start..middle]);
            if (sum >= limit) end = middle;
            else (start, before) = (middle, sum);
        }
        candidates[start..end].Sort(Candidate.Compare);
        for (; start < end && before < limit; start++) before += candidates[start].Weight;
        return start;
    }

    private static double Sum(ReadOnlySpan<Candidate> candidates)
    {
        var sum = 0.0;
        foreach (ref readonly var candidate in candidates) sum += candidate.Weight;
        return sum;
    }

    /// <summary>
    /// Hoare's: all before the returned place precede the others. It is neither end, since the pivot is not the last in order.
    /// </summary>
    private static int Partition(Span<Candidate> candidates)
    {
        var pivot = MedianOfThree(candidates[0], candidates[candidates.Length / 2], candidates[^1]);
        var (left, right) = (-1, candidates.Length);
        while (true)
        {
            do left++; while (candidates[left].Precedes(pivot));
            do right--; while (pivot.Precedes(candidates[right]));
            if (left >= right) return right + 1;
            (candidates[left], candidates[right]) = (candidates[right], candidates[left]);
        }
    }

    private static Candidate MedianOfThree(in Candidate a, in Candidate b, in Candidate c) =>
        a.Precedes(b)
            ? b.Precedes(c) ? b : a.Precedes(c) ? c : a
            : a.Precedes(c) ? a : b.Precedes(c) ? c : b;
}
