using System.Net.Http.Headers;
using System.Text;
using System.Text.RegularExpressions;

namespace DeRa.Hub;

/// <summary>
/// Where models come from and where they are kept; the names and defaults are those of Python's huggingface_hub. A class
/// and no record, so that no text of it holds the token or a password.
/// </summary>
public sealed partial class HubOptions
{
    private readonly string? _user;

    /// <summary>
    /// The Hub itself; another where a mirror or an artifact proxy is used (<c>HF_ENDPOINT</c>). A user and password in it are
    /// taken out, and sent as Basic authentication to its host alone.
    /// </summary>
    /// <exception cref="HubException">The user or the password cannot be sent.</exception>
    public Uri Endpoint
    {
        get;
        init
        {
            _user = ReadUser(value);
            field = value.UserInfo.Length == 0 ? value : new UriBuilder(value) { UserName = "", Password = "" }.Uri;
        }
    } = new("https://huggingface.co");

    /// <summary>
    /// The cache shared with Python: <c>HF_HUB_CACHE</c>, else <c>HF_HOME/hub</c>, else <c>huggingface/hub</c> in
    /// <c>XDG_CACHE_HOME</c> or <c>~/.cache</c>.
    /// </summary>
    public required string CacheFolder { get; init; }

    /// <summary>
    /// <c>HF_TOKEN</c>, else what <c>HF_HOME/token</c> holds; null = none. Sent to <see cref="Endpoint"/>'s host alone, and not
    /// where the endpoint has a user of its own: a request has one authorization, and Python sends the user then too.
    /// </summary>
    public string? Token { get; init; }

    /// <summary>Whether <see cref="Endpoint"/> was given with a user.</summary>
    internal bool HasUser => _user is not null;

    /// <summary>What the endpoint's host is sent; null = nothing.</summary>
    internal AuthenticationHeaderValue? Authorization =>
        _user is not null ? new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(_user)))
        : Token is not null ? new("Bearer", Token) : null;

    /// <summary>Whether only the cache may be used (<c>HF_HUB_OFFLINE</c>).</summary>
    public bool IsOffline { get; init; }

    /// <summary>Files downloaded at once, at least 1.</summary>
    public int ParallelFiles { get; init; } = 4;

    /// <summary>Reads the environment of this process.</summary>
    /// <exception cref="HubException">A variable cannot be used; the message names it.</exception>
    public static HubOptions FromEnvironment() => FromEnvironment(
        Environment.GetEnvironmentVariable,
        // Verified, a home that is not there (a container's user has none) would be "": a cache beside whatever folder we run in.
        Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify));

    /// <inheritdoc cref="FromEnvironment()"/>
    /// <param name="variable">Gives a variable's value; null where it is not set.</param>
    /// <param name="userFolder">What <c>~</c> stands for.</param>
    internal static HubOptions FromEnvironment(Func<string, string?> variable, string userFolder)
    {
        var home = Folder("HF_HOME") ?? Path.Combine(Folder("XDG_CACHE_HOME") ?? Path.Combine(userFolder, ".cache"), "huggingface");
        return new HubOptions
        {
            Endpoint = ReadEndpoint(Set("HF_ENDPOINT") ?? "https://huggingface.co"),
            CacheFolder = Folder("HF_HUB_CACHE") ?? Folder("HUGGINGFACE_HUB_CACHE") ?? Path.Combine(home, "hub"),
            Token = ReadToken("HF_TOKEN", Set("HF_TOKEN") ?? Set("HUGGING_FACE_HUB_TOKEN"))
                ?? ReadTokenFile(Folder("HF_TOKEN_PATH") ?? Path.Combine(home, "token")),
            IsOffline = IsTrue(Set("HF_HUB_OFFLINE") ?? Set("TRANSFORMERS_OFFLINE")),
        };

        string? Set(string name) => variable(name) is { Length: > 0 } value ? value : null;

        string? Folder(string name) => Set(name) switch
        {
            null => null,
            "~" => userFolder,
            ['~', '/' or '\\', .. var rest] => Path.Combine(userFolder, Expanded(rest)),
            var path => Expanded(path),
        };

        string Expanded(string path) =>
            VariablePattern().Replace(path, match => variable(match.Groups[1].Value + match.Groups[2].Value) ?? match.Value);
    }

    private static Uri ReadEndpoint(string text) =>
        Uri.TryCreate(text.TrimEnd('/'), UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"
            && uri.Query.Length == 0 && uri.Fragment.Length == 0
            ? uri
            : throw new HubException($"HF_ENDPOINT is '{WithoutUser(text)}'; it must be an http or https address without ? and #"
                + (text.Contains('@', StringComparison.Ordinal) ? " (in a password they are written %3F and %23)." : "."));

    /// <summary>What may be shown of an address that cannot be read: nothing before its last @.</summary>
    private static string WithoutUser(string text) =>
        text.LastIndexOf('@') is >= 0 and var at ? "…" + text[at..] : text;

    /// <summary>USER:PASSWORD as they are sent, without what an address needs of escapes; null = there is no user.</summary>
    private static string? ReadUser(Uri endpoint)
    {
        if (endpoint.UserInfo.Length == 0) return null;
        var colon = endpoint.UserInfo.IndexOf(':', StringComparison.Ordinal);
        var user = Uri.UnescapeDataString(colon < 0 ? endpoint.UserInfo : endpoint.UserInfo[..colon]);
        var password = colon < 0 ? "" : Uri.UnescapeDataString(endpoint.UserInfo[(colon + 1)..]);
        if (user.Contains(':', StringComparison.Ordinal) || (user + password).Any(char.IsControl))
            throw new HubException("HF_ENDPOINT has a user or a password that Basic authentication cannot send: a user may hold no "
                + "colon, and neither may hold a control character.");
        return $"{user}:{password}";
    }

    private static string? ReadTokenFile(string path)
    {
        try
        {
            return File.Exists(path) ? ReadToken(path, File.ReadAllText(path)) : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new HubException($"{path}: the Hub's token cannot be read: {exception.Message}", exception);
        }
    }

    /// <summary>The token itself stays out of the message: it may be a real one with a slip in it.</summary>
    private static string? ReadToken(string source, string? text)
    {
        var token = text?.Trim();
        if (string.IsNullOrEmpty(token)) return null;
        return token.All(c => c is > ' ' and <= '~')
            ? token
            : throw new HubException($"{source}: the Hub's token holds a character that no token has (a space, a line break, …).");
    }

    [GeneratedRegex(@"\$(?:(\w+)|\{(\w+)\})")]
    private static partial Regex VariablePattern();

    private static bool IsTrue(string? value) => value?.ToUpperInvariant() is "1" or "ON" or "YES" or "TRUE";
}
