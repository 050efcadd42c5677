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
        if (Problem(text) is { } problem) throw new HubException(problem);
        var at = text.IndexOf('@', StringComparison.Ordinal);
        var repository = at < 0 ? text : text[..at];
        if (at >= 0 && revision is not null)
            throw new HubException($"'{text}' names a revision, and '{revision}' is another; give one.");
        var wanted = at >= 0 ? text[(at + 1)..] : revision ?? DefaultRevision;
        return IsRevision(wanted)
            ? new HubName(repository, wanted)
            : throw new HubException(NoRevision(wanted, repository));
    }

    /// <summary>
    /// Why a text that is not a folder here is not a model's name on the Hub either; null where it may be one. What can only be a path,
    /// or lies in a folder that is here, is a folder that is missing, and the Hub is not asked for it; with a revision after it
    /// it is a name.
    /// </summary>
    public static string? Problem(string text)
    {
        var at = text.IndexOf('@', StringComparison.Ordinal);
        if (at >= 0 && IsRepository(text[..at])) return IsRevision(text[(at + 1)..]) ? null : NoRevision(text[(at + 1)..], text[..at]);
        if (File.Exists(text))
            return $"'{text}' is a file; a model is a folder in Hugging Face layout, with config.json and weights in it.";
        if (IsPath(text))
            return $"there is no folder '{text}'{(Path.IsPathFullyQualified(text) ? "" : $" in {Environment.CurrentDirectory}")}.";
        if (!IsRepository(text))
            return $"'{text}' is neither a folder here nor a model's name on the Hub: that is NAME or ORGANISATION/NAME, with "
                + "@REVISION after it where another than main is wanted.";
        return Path.GetDirectoryName(text) is { Length: > 0 } parent && Directory.Exists(parent)
            ? $"there is no folder '{text}', though '{parent}' is one here. If a model on the Hub is meant, write {text}@{DefaultRevision}."
            : null;
    }

    /// <summary>As a user writes it: the revision only where it is not main.</summary>
    public override string ToString() => Revision == DefaultRevision ? Repository : $"{Repository}@{Revision}";

    private static string NoRevision(string text, string repository) =>
        $"'{text}' is not a revision of '{repository}': a branch, a tag or a commit is needed.";

    private static bool IsPath(string text) => Path.IsPathRooted(text) || text.Contains('\\', StringComparison.Ordinal)
        || text is "." or ".." or "~" || (text.Length > 1 && text[1] == ':') || text.EndsWith('/') || text.Count(c => c == '/') > 1
        || ((string[])["./", "../", "~/"]).Any(start => text.StartsWith(start, StringComparison.Ordinal));

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
