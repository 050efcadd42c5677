using System.Collections;
using DeRa.Hosting.Options;
using DeRa.Hosting.Telemetry;

namespace DeRa.Gateway.Options;

/// <summary>Reads and checks the gateway's options.</summary>
public static class OptionReader
{
    /// <summary>The options, by name.</summary>
    public static OptionTable<GatewayOptions> Table { get; } = new("DERA_GATEWAY_", Instead);

    /// <summary>The text of <c>--help</c>.</summary>
    public static string Help() => Table.Help("""
        DeRa's gateway: many replicas of one pair behind one address, over HTTP and gRPC. Requests that begin alike go to the same replica.

        usage: DeRa.Gateway --replicas http://HOST:PORT,http://HOST:PORT [options]

        Each option may also be an environment variable (--http-port is DERA_GATEWAY_HTTP_PORT) or a key of the JSON file that
        --config names ("http-port"). The command line goes before the environment, the environment before the file.


        """);

    /// <summary>Reads and checks all options.</summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="environment">Environment variables.</param>
    /// <exception cref="OptionException">The first thing that is wrong.</exception>
    public static GatewayOptions Read(IReadOnlyList<string> arguments, IDictionary environment)
    {
        var options = Table.Read(arguments, environment, read => read.Config);
        options.Endpoint.Check();
        options.Telemetry.Check();
        options.Tls.Check();
        options.Origin.Check();
        options.Forwarding.Check();
        if (options.Replica is { Replicas: [], ReplicaDns: [], ReplicaFile: null })
            throw new OptionException("There are no replicas: name them by --replicas, --replica-dns or --replica-file.");
        return options with
        {
            Telemetry = options.Telemetry with { OpenTelemetry = TelemetryOptions.StandardVariables(environment) },
        };
    }

    private static string? Instead(string name) => name.ToLowerInvariant().Replace('_', '-') switch
    {
        "port" => "here it is --http-port",
        "hostname" or "listen" or "bind" or "address" => "here it is --host",
        "workers" or "worker-urls" or "backends" or "upstreams" or "servers" or "static-backends" => "here it is --replicas",
        "routing-logic" or "routing-policy" or "lb-policy" or "load-balancing" => "here it is --policy",
        "capture-content" => "texts are on the traces of the replicas",
        _ => null,
    };
}
