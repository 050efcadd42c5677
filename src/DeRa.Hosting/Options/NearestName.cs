namespace DeRa.Hosting.Options;

/// <summary>Finds the name that was probably meant.</summary>
public static class NearestName
{
    /// <summary>The known name that lies nearest, or null where none is near.</summary>
    /// <param name="name">What was written.</param>
    /// <param name="known">What there is.</param>
    public static string? Find(string name, IEnumerable<string> known)
    {
        var plain = Plain(name);
        if (plain.Length > LongestName) return null;
        // Of two as near, the one with the same first letter: it is seldom the mistake.
        var best = known.Select(candidate => (Name: candidate, Distance: Distance(plain, Plain(candidate))))
            .MinBy(c => (c.Distance, plain.StartsWith(char.ToLowerInvariant(c.Name[0])) ? 0 : 1));
        return best.Name is not null && best.Distance <= Allowed(Math.Min(plain.Length, best.Name.Length)) ? best.Name : null;
    }

    private const int LongestName = 64;

    /// <summary>Typing mistakes that still count as one: none in up to three letters, one in up to seven, then two.</summary>
    private static int Allowed(int length) => length <= 3 ? 0 : length <= 7 ? 1 : 2;

    private static string Plain(string name) =>
        string.Concat(name.Where(char.IsLetterOrDigit)).ToLowerInvariant();

    /// <summary>Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment distance).</summary>
    private static int Distance(string a, string b)
    {
        var table = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++) table[i, 0] = i;
        for (var j = 0; j <= b.Length; j++) table[0, j] = j;
        for (var i = 1; i <= a.Length; i++)
            for (var j = 1; j <= b.Length; j++)
            {
                var substituted = table[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                table[i, j] = Math.Min(substituted, Math.Min(table[i - 1, j], table[i, j - 1]) + 1);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    table[i, j] = Math.Min(table[i, j], table[i - 2, j - 2] + 1);
            }
        return table[a.Length, b.Length];
    }
}
