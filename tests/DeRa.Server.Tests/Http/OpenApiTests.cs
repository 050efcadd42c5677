using System.Text.Json.Nodes;
using DeRa.Server.Http.Wire;
using DeRa.Serving.Requests;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;
using Xunit;

namespace DeRa.Server.Tests.Http;

public class OpenApiTests
{
    [Fact]
    public async Task It_is_a_valid_OpenAPI_3_1_document()
    {
        await using var server = await ServerFixture.StartAsync(aligned: ["helpful", "concise"]);
        var body = (await server.GetAsync("/openapi/v1.json")).Body;
        var read = OpenApiDocument.Parse(body, "json");
        Assert.Empty(read.Diagnostic!.Errors);
        Assert.Empty(read.Diagnostic.Warnings);
        Assert.Equal(OpenApiSpecVersion.OpenApi3_1, read.Diagnostic.SpecificationVersion);
        Assert.NotEmpty(read.Document!.Paths);
        Assert.All(References(JsonNode.Parse(body)), target => Assert.NotNull(Resolve(JsonNode.Parse(body)!, target)));
    }

    [Fact]
    public async Task Every_route_that_is_served_is_described_and_no_other()
    {
        await using var server = await ServerFixture.StartAsync();
        var routes = server.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(route => route.Metadata.GetMetadata<global::Grpc.AspNetCore.Server.GrpcMethodMetadata>() is null)
            .SelectMany(route => route.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods.Except(["HEAD"])
                .Select(method => $"{method} {route.RoutePattern.RawText!.Replace("{**id}", "{id}", StringComparison.Ordinal)}") ?? [])
            .Where(route => !IsPage(route) && !route.Contains("{unimplemented", StringComparison.Ordinal)).Order();
        var described = Paths(await DocumentAsync(server)).SelectMany(path => path.Value!.AsObject()
            .Select(operation => $"{operation.Key.ToUpperInvariant()} {path.Key}")).Order();
        Assert.Equal(routes, described);
    }

    /// <summary>People open it; it is not there to be called.</summary>
    private static bool IsPage(string route) => route == "GET /" || route.StartsWith("GET /page/", StringComparison.Ordinal);

    [Fact]
    public async Task What_needs_no_key_is_described_so()
    {
        await using var server = await ServerFixture.StartAsync();
        var open = server.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(route => route.Metadata.GetMetadata<IAllowAnonymous>() is not null && route.RoutePattern.RawText!.Count('/') == 1)
            .Select(route => route.RoutePattern.RawText!).Where(path => !IsPage($"GET {path}"));
        Assert.Equal(open, Paths(await DocumentAsync(server)).Where(path =>
            path.Value!["get"]?["security"] is JsonArray { Count: 0 }).Select(path => path.Key));
    }

    [Fact]
    public async Task Every_field_that_a_reader_takes_is_described_and_no_other()
    {
        await using var server = await ServerFixture.StartAsync();
        var schemas = (await DocumentAsync(server))["components"]!["schemas"]!;
        foreach (var (schema, table) in ((string, FieldTable)[])[
            ("CompletionRequest", CompletionRequestReader.Table), ("ChatCompletionRequest", ChatRequestReader.Table),
            ("TokenizeTextRequest", TokenizeRequestReader.TextTable), ("TokenizeChatRequest", TokenizeRequestReader.ChatTable),
            ("DetokenizeRequest", DetokenizeRequestReader.Table)])
        {
            var properties = schemas[schema]!["properties"]!.AsObject();
            Assert.Equal(table.Read.Order(), properties.Select(property => property.Key).Order());
            Assert.All(properties, property => Assert.NotEmpty((string)property.Value!["description"]!));
        }
    }

    [Fact]
    public async Task Ranges_are_those_in_force()
    {
        await using var server = await ServerFixture.StartAsync(limits: new RequestLimits { MaxStrength = 3, MaxChoices = 5 });
        var properties = (await DocumentAsync(server))["components"]!["schemas"]!["CompletionRequest"]!["properties"]!;
        Assert.Equal((-1.0, 3.0), ((double)properties["alignment_strength"]!["minimum"]!,
            (double)properties["alignment_strength"]!["maximum"]!));
        Assert.Equal(5, (int)properties["n"]!["maximum"]!);
    }

    [Fact]
    public async Task Operations_have_names_of_their_own()
    {
        await using var server = await ServerFixture.StartAsync();
        var names = Paths(await DocumentAsync(server)).SelectMany(path =>
            path.Value!.AsObject().Select(operation => (string)operation.Value!["operationId"]!));
        Assert.Equal(names.Distinct(), names);
    }

    internal static async Task<JsonNode> DocumentAsync(ServerFixture server) =>
        JsonNode.Parse((await server.GetAsync("/openapi/v1.json")).Body)!;

    private static JsonObject Paths(JsonNode document) => document["paths"]!.AsObject();

    private static IEnumerable<string> References(JsonNode? node) => node switch
    {
        JsonArray list => list.SelectMany(References),
        JsonObject fields => fields.SelectMany(field => field.Key == "$ref" ? [(string)field.Value!] : References(field.Value)),
        _ => [],
    };

    private static JsonNode? Resolve(JsonNode document, string reference) =>
        reference.Split('/').Skip(1).Aggregate((JsonNode?)document, (node, name) => node?[name]);
}
