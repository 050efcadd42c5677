namespace DeRa.Testing;

/// <summary>Combinations of features in which every two values of different features meet at least once.</summary>
public static class Pairwise
{
    /// <summary>Picks combinations, always the same.</summary>
    /// <param name="sizes">How many values each feature has; at least one each.</param>
    /// <returns>A list of values a combination, one for each feature, in [0, size).</returns>
    public static IReadOnlyList<int[]> Cover(params int[] sizes)
    {
        var missing = (from one in Enumerable.Range(0, sizes.Length)
                       from other in Enumerable.Range(one + 1, sizes.Length - one - 1)
                       from a in Enumerable.Range(0, sizes[one])
                       from b in Enumerable.Range(0, sizes[other])
                       select (one, a, other, b)).ToHashSet();
        var rows = new List<int[]>();
        while (missing.Count > 0)
        {
            var row = Row(sizes, missing);
            missing.RemoveWhere(pair => row[pair.one] == pair.a && row[pair.other] == pair.b);
            rows.Add(row);
        }
        return rows;
    }

    /// <summary>Begins with a pair that is missing, then gives each feature the value that meets most of what is missing.</summary>
    private static int[] Row(int[] sizes, HashSet<(int One, int A, int Other, int B)> missing)
    {
        var first = missing.Min();
        var row = Enumerable.Repeat(-1, sizes.Length).ToArray();
        (row[first.One], row[first.Other]) = (first.A, first.B);
        for (var feature = 0; feature < sizes.Length; feature++)
        {
            if (row[feature] >= 0) continue;
            row[feature] = Enumerable.Range(0, sizes[feature]).MaxBy(value => missing.Count(pair =>
                (pair.One == feature && pair.A == value && (row[pair.Other] < 0 || row[pair.Other] == pair.B))
                || (pair.Other == feature && pair.B == value && (row[pair.One] < 0 || row[pair.One] == pair.A))));
        }
        return row;
    }
}
