using System.ComponentModel;
using DeRa.Engine;
using DeRa.Hosting.Connections;
using DeRa.Hosting.Options;
using DeRa.Hosting.Security;
using DeRa.Hosting.Telemetry;
using DeRa.Serving.Loading;
using DeRa.Serving.Requests;
using DeRa.Torch.Execution;
using DeRa.Torch.Native;

namespace DeRa.Server.Options;

/// <summary>
/// All that can be set at start: read once (<see cref="OptionReader"/>), never changed. Each option is declared once, in one of these
/// groups; its attributes are its documentation. <c>--help</c> lists them in this order.
/// </summary>
internal sealed record ServerOptions
{
    /// <summary>What is served.</summary>
    public ModelOptions Model { get; init; } = new();

    /// <summary>Where the server listens.</summary>
    public EndpointOptions Endpoint { get; init; } = new();

    /// <summary>Where the models run.</summary>
    public ComputeOptions Compute { get; init; } = new();

    /// <summary>How much runs and waits.</summary>
    public EngineOptions Engine { get; init; } = new();

    /// <summary>What a request may ask for.</summary>
    public RequestLimits Limits { get; init; } = new();

    /// <summary>How bodies are read.</summary>
    public BodyOptions Body { get; init; } = new();

    /// <summary>How many connections, and what may arrive on them.</summary>
    public ConnectionOptions Connection { get; init; } = new();

    /// <summary>API keys and their limits.</summary>
    public ApiKeyOptions Key { get; init; } = new();

    /// <summary>The certificate.</summary>
    public TlsOptions Tls { get; init; } = new();

    /// <summary>Web pages and host names.</summary>
    public OriginOptions Origin { get; init; } = new();

    /// <summary>How long things may take.</summary>
    public TimeOptions Time { get; init; } = new();

    /// <summary>Logs and traces.</summary>
    public TelemetryOptions Telemetry { get; init; } = new();

    [Description("JSON file with options, by the names in this list."), Option(Placeholder = "FILE", DefaultText = "none")]
    public string? Config { get; init; }

    /// <summary>The engine's part, which is labelled with the pair's name.</summary>
    public EngineOptions ToEngineOptions() => Engine with { ModelName = Model.ServedName };

    /// <summary>What a request may ask for, its time included.</summary>
    public RequestLimits ToRequestLimits() => Limits with
    {
        MaxDuration = Time.RequestTimeoutSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
    };

    /// <summary>The loader's part of the options.</summary>
    /// <exception cref="FormatException">
    /// The device, a number format or the kernels are not allowed ones, or
    /// <see cref="PairFolders.Choose(string, IReadOnlyList{string})"/> finds no pair.
    /// </exception>
    public ServedPairOptions ToServedPairOptions()
    {
        var folders = PairFolders.Choose(Model.Reference, Model.Aligned);
        return new ServedPairOptions
        {
            Names = new ServedNames(Model.ServedName, [.. folders.Aligned.Select(model => model.Name)])
            {
                Rewards = [.. Model.ReadRewards().Select(reward => reward.Name)],
            },
            Models = new PairOptions
            {
                ReferencePath = folders.Reference,
                Aligned = folders.Aligned,
                Device = DeviceOption.Parse(Compute.Device),
                DType = DTypeOption.Parse(Compute.Dtype),
                CacheDType = CacheDTypeOption.Parse(Compute.CacheDtype),
                Kernels = KernelsOption.Parse(Compute.Kernels, Compute.PrefillKernel),
                LibTorch = new LibTorchOptions { Directory = Compute.Libtorch, Threads = Compute.Threads },
                ContextTokens = Compute.ContextLength,
                CacheTokens = Compute.CacheTokens,
            },
            Beta = Model.Beta,
            Engine = ToEngineOptions(),
            Limits = ToRequestLimits(),
        };
    }
}
