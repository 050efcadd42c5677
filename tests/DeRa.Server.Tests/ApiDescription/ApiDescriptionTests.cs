using System.Diagnostics;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using DeRa.Testing;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace DeRa.Server.Tests.ApiDescription;

/// <summary>What the server says of itself is what was approved: nothing that clients or operators rely on changes unnoticed.</summary>
public class ApiDescriptionTests
{
    private static readonly JsonSerializerOptions Indented =
        new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    [Fact]
    public async Task The_OpenAPI_document_is_the_approved_one()
    {
        await using var server = await ServerFixture.StartAsync();
        var document = await JsonAsync(server, "/openapi/v1.json");
        document["info"]!["version"] = "(version)";
        AssertApproved("openapi.json", document);
    }

    [Fact]
    public async Task Info_is_the_approved_one()
    {
        await using var server = await ServerFixture.StartAsync();
        var info = await JsonAsync(server, "/info");
        info["version"] = "(version)";
        info["uptime_seconds"] = "(seconds)";
        // Fewer than the default where fewer files may be open.
        info["options"]!["max-connections"] = "(connections)";
        AssertApproved("info.json", info);
    }

    [Fact]
    public async Task Routes_are_the_approved_ones()
    {
        await using var server = await ServerFixture.StartAsync();
        var routes = server.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Select(route => $"{route.RoutePattern.RawText} {Methods(route)}{(IsOpen(route) ? " without a key" : "")}");
        AssertApproved("routes.txt", string.Join('\n', routes.Order(StringComparer.Ordinal)));

        static string Methods(RouteEndpoint route) =>
            route.Metadata.GetMetadata<HttpMethodMetadata>() is { } allowed ? string.Join(',', allowed.HttpMethods) : "any method";

        static bool IsOpen(RouteEndpoint route) => route.Metadata.GetMetadata<IAllowAnonymous>() is not null;
    }

    [Fact]
    public void Protos_are_the_approved_ones()
    {
        var folder = Path.Combine(SharedData.ProjectRoot, "protos");
        var files = Directory.GetFiles(folder, "*.proto", SearchOption.AllDirectories)
            .Select(file => (Name: Path.GetRelativePath(folder, file).Replace('\\', '/'), Text: File.ReadAllText(file)))
            .OrderBy(file => file.Name, StringComparer.Ordinal);
        AssertApproved("protos.txt", string.Join('\n', files.Select(file => $"// {file.Name}\n\n{file.Text}")));
    }

    [Fact]
    public async Task Help_is_the_approved_one()
    {
        var program = Path.Combine(AppContext.BaseDirectory, "DeRa.Server.dll");
        using var process = Process.Start(new ProcessStartInfo("dotnet", [program, "--help"]) { RedirectStandardOutput = true })!;
        var help = await process.StandardOutput.ReadToEndAsync(ServerFixture.Stop);
        await process.WaitForExitAsync(ServerFixture.Stop);
        Assert.Equal(0, process.ExitCode);
        AssertApproved("help.txt", help);
    }

    /// <summary>Fails where a text is not that of a file in this folder.</summary>
    internal static void AssertApproved(string file, string actual)
    {
        if (ApprovedText.Difference("tests/DeRa.Server.Tests/ApiDescription/" + file, actual) is { } difference) Assert.Fail(difference);
    }

    private static void AssertApproved(string file, JsonNode actual) => AssertApproved(file, actual.ToJsonString(Indented));

    private static async Task<JsonNode> JsonAsync(ServerFixture server, string path) => JsonNode.Parse((await server.GetAsync(path)).Body)!;
}
