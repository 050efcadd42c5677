using DeRa.Cli.Arguments;
using DeRa.Cli.Score;
using DeRa.Serving;
using DeRa.Serving.Loading;
using DeRa.Serving.Requests;
using DeRa.Serving.Sweeps;
using Microsoft.Extensions.Logging.Abstractions;

namespace DeRa.Cli.Sweep;

/// <summary>What generates the completions of a sweep: a pair in this process, or servers.</summary>
internal sealed class SweepSource : IDisposable
{
    private static readonly TimeSpan s_firstRetryDelay = TimeSpan.FromSeconds(1);

    private readonly IDisposable _owned;

    private SweepSource(
        string name, ISweepEndpoint endpoint, IDisposable owned, ServedPair? pair, IEnumerable<KeyValuePair<string, string>> about) =>
        (Name, Endpoint, _owned, Pair, About) = (name, endpoint, owned, pair, [.. about]);

    /// <summary>The pair's name.</summary>
    public string Name { get; }

    /// <summary>What generates.</summary>
    public ISweepEndpoint Endpoint { get; }

    /// <summary>The pair; null = a server has it.</summary>
    public ServedPair? Pair { get; }

    /// <summary>What completions depend on, by name.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> About { get; }

    /// <summary>Loads a pair.</summary>
    /// <param name="options">Which.</param>
    /// <param name="settings">What is generated.</param>
    /// <param name="prompts">The prompts, which are checked: what cannot be run shows before hours have gone into the rest.</param>
    /// <param name="error">Receives progress.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="FormatException">A prompt or a setting cannot be run.</exception>
    public static async Task<SweepSource> LoadAsync(ServedPairOptions options, SweepSettings settings, IReadOnlyList<SweepPrompt> prompts,
        TextWriter error, CancellationToken cancellation)
    {
        options = options with
        {
            Limits = SweepOptions.Limits,
            Models = await ModelFolders.ResolveAsync(options.Models, error, cancellation),
        };
        var pair = await ServedPairLoader.LoadAsync(
            options, Console.IsErrorRedirected ? null : new ConsoleLoadProgress(Console.Error), NullLoggerFactory.Instance,
            TimeProvider.System, cancellation);
        var endpoint = new PairEndpoint(pair, settings);
        try
        {
            foreach (var prompt in prompts) Check(endpoint, prompt, settings, cancellation);
            return new SweepSource(pair.Names.Pair, endpoint, pair.Engine, pair, PairAbout.Of(pair, options));
        }
        catch
        {
            pair.Engine.Dispose();
            throw;
        }
    }

    /// <summary>Finds servers.</summary>
    /// <param name="servers">Their addresses; at least one.</param>
    /// <param name="apiKey">The API key of all; null = none.</param>
    /// <param name="settings">What is generated.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="HttpRequestException">One does not respond, or they serve different models.</exception>
    public static async Task<SweepSource> ConnectAsync(
        IReadOnlyList<Uri> servers, string? apiKey, SweepSettings settings, CancellationToken cancellation)
    {
        var endpoint = new ServerEndpoints(
            [.. servers.Select(server => new ServerEndpoint(server, apiKey, settings, s_firstRetryDelay))]);
        try
        {
            var models = await endpoint.ModelsAsync(cancellation);
            return new SweepSource(models[0], endpoint, endpoint, null,
                [new("server", string.Join(", ", servers)), new("models", string.Join(", ", models))]);
        }
        catch
        {
            endpoint.Dispose();
            throw;
        }
    }

    public void Dispose() => _owned.Dispose();

    private static void Check(PairEndpoint endpoint, SweepPrompt prompt, SweepSettings settings, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        try
        {
            endpoint.Check(prompt, settings.Strengths[0]);
        }
        catch (InvalidRequestException wrong)
        {
            throw new FormatException($"{prompt.Place}: {wrong.Message}", wrong);
        }
    }
}
