namespace DeRa.Architecture.Tests.Rules;

/// <summary>What one project under src/ may know.</summary>
/// <param name="Name">The project.</param>
/// <param name="References">Projects of ours that its file may reference; it may use their types.</param>
/// <param name="Parts">Projects of ours that it gets through those; it may use their types.</param>
/// <param name="Types">Types of further projects of ours that it may use, by their bare names.</param>
/// <param name="Libraries">Libraries that it may use, by the first words of their assemblies' names; .NET's own are free to all.</param>
internal sealed record ProjectRow(string Name, string[] References, string[] Parts, string[] Types, string[] Libraries);

/// <summary>Who may know what. A new project gets a row; a row that grows is a decision about the architecture.</summary>
internal static class ProjectTable
{
    public static IReadOnlyList<ProjectRow> Rows { get; } =
    [
        // Nothing of ours: each could be a package of its own.
        new("DeRa.Text", References: [], Parts: [], Types: [], Libraries: ["Microsoft.ML.Tokenizers", "Google.Protobuf"]),
        new("DeRa.Hub", References: [], Parts: [], Types: [], Libraries: ["Polly"]),
        new("DeRa.Hosting", References: [], Parts: [], Types: [],
            Libraries: ["Microsoft.AspNetCore", "Microsoft.Extensions", "Microsoft.Net", "OpenTelemetry", "System.Threading.RateLimiting"]),

        // A package for other people's programs: of ours it knows the protos, which it compiles itself.
        new("DeRa.Client", References: [], Parts: [], Types: [],
            Libraries: ["Google", "Grpc", "Microsoft.Extensions.AI", "OpenAI", "System.ClientModel", "System.Memory.Data"]),

        // Scheduling sees no tensor, no transport, no tokenizer.
        new("DeRa.Engine", References: [], Parts: [], Types: [], Libraries: ["Microsoft.Extensions.Logging"]),

        // Tensors see no request: what the executor gets is the engine's plan.
        new("DeRa.Torch", References: ["DeRa.Engine"], Parts: [], Types: [], Libraries: ["TorchSharp", "Microsoft.Extensions.Logging"]),

        // The application is where these meet.
        new("DeRa.Serving", References: ["DeRa.Text", "DeRa.Engine", "DeRa.Torch", "DeRa.Hub"], Parts: [], Types: [],
            Libraries: ["Microsoft.Extensions.Logging", "Polly"]),

        // A server speaks of texts and generations. Of models it knows how a pair is to be loaded, and how far that is.
        new("DeRa.Server", References: ["DeRa.Serving", "DeRa.Hosting"], Parts: ["DeRa.Text", "DeRa.Engine"],
            Types: ["PairOptions", "AlignedFolder", "DeviceOption", "DTypeOption", "CacheDTypeOption", "KernelsOption",
                "LibTorchOptions", "LoadProgress", "HubModels"],
            Libraries: ["Microsoft.AspNetCore", "Microsoft.Extensions", "Microsoft.Net", "Google", "Grpc", "OpenTelemetry",
                "System.Threading.RateLimiting"]),

        // Many servers behind one address: it speaks their protocols and loads nothing.
        new("DeRa.Gateway", References: ["DeRa.Hosting"], Parts: [], Types: [],
            Libraries: ["Microsoft.AspNetCore", "Microsoft.Extensions", "Microsoft.Net", "Google.Api.CommonProtos", "Google.Protobuf",
                "OpenTelemetry", "System.Threading.RateLimiting", "Yarp"]),

        // The command line also inspects and verifies folders of models; it computes nothing with tensors itself.
        new("DeRa.Cli", References: ["DeRa.Serving", "DeRa.Hosting", "DeRa.Hub", "DeRa.Client", "DeRa.Server", "DeRa.Gateway"],
            Parts: ["DeRa.Text", "DeRa.Engine", "DeRa.Torch"], Types: [],
            Libraries: ["Microsoft.Extensions.AI", "Microsoft.Extensions.Logging", "Parquet", "Spectre.Console", "System.ClientModel",
                "System.CommandLine"]),

        // Training is about tensors.
        new("DeRa.Lab", References: ["DeRa.Serving", "DeRa.Torch"], Parts: ["DeRa.Text", "DeRa.Engine"], Types: ["HubModels"],
            Libraries: ["TorchSharp", "System.CommandLine", "ScottPlot", "SkiaSharp"]),
    ];

    public static ProjectRow Row(string name) => Rows.SingleOrDefault(row => row.Name == name)
        ?? throw new InvalidOperationException($"{name} has no row in {nameof(ProjectTable)}.");
}
