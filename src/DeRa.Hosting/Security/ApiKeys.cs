using System.Security.Cryptography;
using DeRa.Hosting.Options;

namespace DeRa.Hosting.Security;

/// <summary>The keys that open the server now. Any thread.</summary>
public sealed class ApiKeys
{
    /// <summary>The name of the key that is given as an option.</summary>
    public const string OptionName = "default";

    private const int ShortestKey = 16;

    private readonly ApiKey? _fromOption;
    private volatile IReadOnlyList<ApiKey> _all;

    /// <summary>Reads the keys of the options.</summary>
    /// <exception cref="OptionException">The file cannot be read or is malformed, or the key given as an option is too weak.</exception>
    public ApiKeys(ApiKeyOptions options)
    {
        _fromOption = options.ApiKey is { } secret ? new ApiKey(OptionName, KeyHash.Of(Checked(secret.Value))) : null;
        _all = _fromOption is null ? [] : [_fromOption];
        if (options.ApiKeys is not { } path) return;
        // Said before anybody tries to open it: what cannot be found is named.
        if (path.StartsWith(KeyHash.KeyPrefix, StringComparison.Ordinal) && !System.IO.File.Exists(path))
            throw new OptionException("--api-keys must name a file and holds what looks like a key; one key alone goes into DERA_API_KEY.");
        File = new ReloadedFiles([new OptionFile("api-keys", path)], contents => Replace(ApiKeyFile.Parse(contents[0], path), path));
    }

    /// <summary>The file they come from; null = none.</summary>
    public ReloadedFiles? File { get; }

    /// <summary>Whether a key is needed at all; never changes.</summary>
    public bool AreRequired => _all.Count > 0;

    /// <summary>The key that was presented, or null where there is no such key.</summary>
    public ApiKey? Find(string presented)
    {
        var hash = KeyHash.Of(presented);
        ApiKey? found = null;
        // All of them, always: how long it takes says nothing about which one is near.
        foreach (var key in _all)
            if (CryptographicOperations.FixedTimeEquals(key.Hash, hash)) found = key;
        return found;
    }

    private void Replace(IReadOnlyList<ApiKey> keys, string path)
    {
        if (_fromOption is not null && keys.Any(key => key.Name == OptionName))
            throw new FormatException($"{path} (--api-keys): the name '{OptionName}' is that of the key in --api-key.");
        _all = _fromOption is null ? keys : [_fromOption, .. keys];
    }

    /// <summary>A short key could be tried out: there is no slow hash and no lockout to keep anybody from it.</summary>
    private static string Checked(string key) => key.Length >= ShortestKey && key.All(letter => letter is > ' ' and <= '~') ? key
        : throw new OptionException(
            $"--api-key must have at least {ShortestKey} printable ASCII characters and no spaces ('dera key NAME' makes one).");
}
