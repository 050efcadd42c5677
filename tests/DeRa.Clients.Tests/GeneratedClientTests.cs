using System.Reflection;
using DeRa.Testing.Server;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using NSwag;
using NSwag.CodeGeneration.CSharp;
using Xunit;

namespace DeRa.Clients.Tests;

/// <summary>A client that NSwag generates from the server's OpenAPI document compiles, and calls the server.</summary>
public class GeneratedClientTests
{
    private const string Caller = """
        using System.Collections.Generic;
        using System.Linq;
        using System.Net.Http;
        using System.Threading.Tasks;

        public static class Caller
        {
            public static async Task<string> ModelsAsync(HttpClient http) =>
                string.Join(',', (await Client(http).ListModelsAsync()).Data.Select(model => model.Id));

            public static async Task<double[]> ScoreAsync(HttpClient http)
            {
                var item = new Generated.Items();
                item.AdditionalProperties["prompt"] = "ab";
                item.AdditionalProperties["continuation"] = "cde";
                var request = new Generated.ScoreRequest { Model = "pair", Items = new[] { item }, Timeout = 60 };
                foreach (var strength in new[] { 0, 0.5, 1 })
                {
                    var one = new Generated.Alignment_sweep();
                    one.AdditionalProperties["aligned"] = strength;
                    request.Alignment_sweep.Add(one);
                }
                var scores = await Client(http).ScoreAsync(request);
                return scores.Items.Single().Scores.Select(score => score.Logprob).ToArray();
            }

            public static async Task<int> RefusedAsync(HttpClient http)
            {
                try
                {
                    await Client(http).GetModelAsync("nobody");
                    return 200;
                }
                catch (Generated.ApiException<Generated.Error> refused)
                {
                    return refused.StatusCode;
                }
            }

            private static Generated.DeRaClient Client(HttpClient http) => new(http);
        }
        """;

    [Fact]
    public async Task It_lists_models_scores_a_text_and_reads_an_error()
    {
        await using var server = await ServerFixture.StartAsync();
        var document = await server.Http.GetStringAsync("/openapi/v1.json", ServerFixture.Stop);
        var caller = Compile(await GenerateAsync(document), Caller).GetType("Caller")!;

        Assert.Equal("pair,pair-reference,pair-aligned", await CallAsync<string>(caller, "ModelsAsync", server.Http));
        var logProbs = await CallAsync<double[]>(caller, "ScoreAsync", server.Http);
        var plain = await server.PostAsync("/v1/realignment/score",
            """{"items":[{"prompt":"ab","continuation":"cde"}],"alignment_sweep":[0,0.5,1]}""");
        Assert.Equal(plain.Json.GetProperty("items")[0].GetProperty("scores").EnumerateArray()
            .Select(score => score.GetProperty("logprob").GetDouble()), logProbs);
        Assert.Equal(404, await CallAsync<int>(caller, "RefusedAsync", server.Http));
    }

    private static async Task<string> GenerateAsync(string document) => new CSharpClientGenerator(
        await OpenApiDocument.FromJsonAsync(document, ServerFixture.Stop), new CSharpClientGeneratorSettings
        {
            ClassName = "DeRaClient",
            CSharpGeneratorSettings = { Namespace = "Generated", GenerateNullableReferenceTypes = true },
        }).GenerateFile();

    private static Assembly Compile(params string[] sources)
    {
        var framework = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Select(path => MetadataReference.CreateFromFile(path));
        var options = new CSharpCompilationOptions(
            OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable);
        var compilation = CSharpCompilation.Create(
            "Generated", sources.Select(source => CSharpSyntaxTree.ParseText(source)), framework, options);
        using var image = new MemoryStream();
        Assert.Empty(compilation.Emit(image).Diagnostics.Where(fault => fault.Severity == DiagnosticSeverity.Error));
        return Assembly.Load(image.ToArray());
    }

    private static Task<T> CallAsync<T>(Type caller, string method, HttpClient http) =>
        (Task<T>)caller.GetMethod(method)!.Invoke(null, [http])!;
}
