using System.CommandLine;

namespace DeRa.Benchmarks;

/// <summary>The address of a server that runs.</summary>
internal static class ServerArgument
{
    /// <summary>Makes the argument; what is no address is an error that names it.</summary>
    public static Argument<Uri> Create() => new("URL")
    {
        Description = "Address of a server that runs, such as http://localhost:8080",
        CustomParser = result =>
        {
            var text = result.Tokens[0].Value;
            if (Uri.TryCreate(text, UriKind.Absolute, out var server) && server.Scheme is "http" or "https") return server;
            result.AddError($"URL is '{text}'; it must be an address such as http://localhost:8080.");
            return null;
        },
    };
}
