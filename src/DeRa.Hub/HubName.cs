using System.Text.RegularExpressions;

namespace DeRa.Hub;

/// <summary>A model's name on the Hub and the revision that is wanted.</summary>
/// <param name="Repository"><c>name</c> or <c>organisation/name</c>.</param>
/// <param name="Revision">A branch, a tag or a commit.</param>
internal sealed partial record HubName(string Repository, string Revision)
{
    private const string DefaultRevision = "main";

    /// <summary>Reads <c>name</c>, <c>organisation/name</c> or either with <c>@revision</c>.</summary>
    /// <param name="text">What a user wrote.</param>
    /// <param name="revision">The revision where it is given apart; null = what the text says, else main.</param>
    /// <exception cref="HubException">It is no such name, the revision cannot be one, or two are given.</exception>
    public static HubName Parse(string text, string? revision)
    {
        var at = text.IndexOf('@', StringComparison.Ordinal);
        var repository = at < 0 ? text : text[..at];
        if (!IsRepository(repository))
            throw new HubException($"'{text}' is neither a folder here nor a model's name on the Hub: that is NAME or "
                + "ORGANISATION/NAME, with @REVISION after it where another than main is wanted.");
        if (at >= 0 && revision is not null)
            throw new HubException($"'{text}' names a revision, and '{revision}' is another; give one.");
        var wanted = at >= 0 ? text[(at + 1)..] : revision ?? DefaultRevision;
        return IsRevision(wanted)
            ? new HubName(repository, wanted)
            : throw new HubException($"'{wanted}' is no revision for '{repository}': a branch, a tag or a commit is needed.");
    }

    /// <summary>Whether a text is such a name.</summary>
    public static bool IsName(string text)
    {
        var at = text.IndexOf('@', StringComparison.Ordinal);
        return at < 0 ? IsRepository(text) : IsRepository(text[..at]) && IsRevision(text[(at + 1)..]);
    }

    /// <summary>As a user writes it: the revision only where it is not main.</summary>
    public override string ToString() => Revision == DefaultRevision ? Repository : $"{Repository}@{Revision}";

    /// <summary>The Hub's rules, and Python's: they also keep the name a safe part of a path.</summary>
    private static bool IsRepository(string text) =>
        RepositoryPattern().IsMatch(text) && !text.Contains("--", StringComparison.Ordinal)
        && !text.Contains("..", StringComparison.Ordinal) && !text.EndsWith(".git", StringComparison.Ordinal);

    private static bool IsRevision(string text) =>
        RevisionPattern().IsMatch(text) && !text.Contains("..", StringComparison.Ordinal) && !text.EndsWith('/');

    [GeneratedRegex(@"\A(?:[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?/)?[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,94}[A-Za-z0-9_])?\z")]
    private static partial Regex RepositoryPattern();

    [GeneratedRegex(@"\A[A-Za-z0-9_][A-Za-z0-9_./+-]{0,199}\z")]
    private static partial Regex RevisionPattern();
}
