namespace DeRa.Testing;

/// <summary>
/// A text that users depend on, committed as a file beside the test that produces it: it changes only where somebody accepts the
/// change, and then shows in the diff.
/// </summary>
public static class ApprovedText
{
    /// <summary>The environment variable that, set to 1, rewrites the files that differ.</summary>
    public const string AcceptVariable = "DERA_ACCEPT_API";

    /// <summary>Compares with a committed file; rewrites it first where <see cref="AcceptVariable"/> asks for that.</summary>
    /// <param name="path">Relative to the checkout's root, with slashes.</param>
    /// <param name="actual">What the product says now.</param>
    /// <returns>What a failed test should print; null where the two are equal. A file that was rewritten counts as different.</returns>
    public static string? Difference(string path, string actual) =>
        Difference(SharedData.ProjectRoot, path, actual, Environment.GetEnvironmentVariable(AcceptVariable) == "1");

    /// <summary>The same, under any root.</summary>
    public static string? Difference(string root, string path, string actual, bool accept)
    {
        var file = Path.Combine(root, path);
        var now = actual.ReplaceLineEndings("\n").TrimEnd('\n') + "\n";
        var approved = File.Exists(file) ? File.ReadAllText(file).ReplaceLineEndings("\n") : null;
        if (approved == now) return null;
        var difference = approved is null
            ? $"{path} does not exist." : $"{path} differs{FirstDifference(approved.Split('\n'), now.Split('\n'))}";
        if (!accept)
            return $"{difference}\nIf this is wanted: run the test again with {AcceptVariable}=1, which rewrites the file, and commit it.";
        File.WriteAllText(file, now);
        return $"{difference}\nThe file was rewritten: look at its diff, and run the test without {AcceptVariable}.";
    }

    private static string FirstDifference(string[] approved, string[] actual)
    {
        var line = approved.Zip(actual).TakeWhile(pair => pair.First == pair.Second).Count();
        return $" at line {line + 1}:\n  approved: {Line(approved, line)}\n  now:      {Line(actual, line)}";
    }

    private static string Line(string[] lines, int index) => index < lines.Length ? lines[index] : "(the end)";
}
