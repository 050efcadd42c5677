using System.CommandLine.Parsing;

namespace DeRa.Cli.Arguments;

/// <summary>What commands that speak to a server share.</summary>
internal static class ServerArguments
{
    private const string DeRaKey = "DERA_API_KEY", OpenAiKey = "OPENAI_API_KEY";

    /// <summary>Where the API key comes from, for help texts.</summary>
    public const string KeyDescription = $"{DeRaKey} or {OpenAiKey} in the environment gives an API key";

    /// <summary>The API key: the first of the environment variables that is set; null = none is.</summary>
    public static string? ApiKey => Variable(DeRaKey) ?? Variable(OpenAiKey);

    /// <summary>Reads an option's address; another text is an error that names the option.</summary>
    public static Uri? ReadAddress(ArgumentResult result)
    {
        var servers = ReadAddresses(result);
        return servers is [var server] ? server : null;
    }

    /// <summary>Reads addresses; one that is none is an error of the command line.</summary>
    public static Uri[]? ReadAddresses(ArgumentResult result)
    {
        var servers = result.Tokens.Select(token => Read(token.Value, result)).OfType<Uri>().ToArray();
        return servers.Length == result.Tokens.Count ? servers : null;
    }

    private static Uri? Read(string text, ArgumentResult result)
    {
        if (Uri.TryCreate(text, UriKind.Absolute, out var server) && server.Scheme is "http" or "https") return server;
        result.AddError($"{((OptionResult)result.Parent!).Option.Name} is '{text}'; it must be an address such as http://localhost:8080.");
        return null;
    }

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
