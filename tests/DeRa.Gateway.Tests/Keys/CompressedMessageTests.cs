using System.IO.Compression;
using System.Net;
using DeRa.Gateway.Tests.Fixtures;
using DeRa.Protos.V1;
using DeRa.Testing.Server;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Xunit;

namespace DeRa.Gateway.Tests.Keys;

public class CompressedMessageTests
{
    private const int MaxBodyBytes = 4096;
    private static readonly byte[] s_short = Message("Once upon a time");
    private static readonly byte[] s_long = Message(new string('a', 1 << 20));

    [Fact]
    public async Task A_compressed_call_finds_what_the_same_prompt_left_behind()
    {
        await using var one = await TestReplica.StartAsync();
        await using var two = await TestReplica.StartAsync();
        await using var three = await TestReplica.StartAsync();
        await using var gateway = await GatewayFixture.StartAsync(one.Address, two.Address, three.Address);
        for (var i = 0; i < 4; i++)
        {
            var prompt = i + string.Concat(Enumerable.Repeat("Once upon a time ", 8));
            await gateway.CompleteAsync($$"""{"prompt":"{{prompt}}","max_tokens":1}""");
            var call = await gateway.Inference.GenerateAsync(
                new() { Prompt = new() { Text = prompt }, Options = new() { MaxTokens = 1 } },
                new Metadata { { "grpc-internal-encoding-request", "gzip" } }, cancellationToken: ServerFixture.Stop);
            Assert.True(call.Usage.CachedTokens > 100);
        }
    }

    public static TheoryData<string, byte[], int> Calls => new()
    {
        { "gzip", Gzip(s_short), 1 },
        { "deflate", Deflate(s_short), 1 },
        { "gzip", Gzip(s_long), 0 },
        { "gzip", s_short, 0 },
        { "gzip", Gzip(s_short)[..10], 0 },
        { "gzip", [], 0 },
        { "identity", s_short, 0 },
        { "br", s_short, 0 },
    };

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task Whether_it_can_be_unpacked_or_not_it_is_passed_on(string encoding, byte[] packed, int keys)
    {
        await using var health = await StubReplica.StartAsync();
        await using var stub = await StubReplica.StartAsync(HttpProtocols.Http2);
        stub.Respond = context =>
        {
            context.Response.ContentType = "application/grpc";
            context.Response.AppendTrailer("grpc-status", "0");
            return Task.CompletedTask;
        };
        var options = GatewayFixture.Options($"{health.Name}+{new Uri(stub.Name).Port}");
        await using var gateway = await GatewayFixture.StartAsync(
            options with { Forwarding = options.Forwarding with { MaxBodyBytes = MaxBodyBytes } });
        using var request = new HttpRequestMessage(HttpMethod.Post,
            $"http://{gateway.Channel.Target}/dera.v1.InferenceService/Generate")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(GrpcFrame.Of(packed, isCompressed: true)),
        };
        request.Content.Headers.ContentType = new("application/grpc");
        request.Headers.Add("grpc-encoding", encoding);
        using var response = await gateway.Http.SendAsync(request, ServerFixture.Stop);
        Assert.Equal("0", response.TrailingHeaders.GetValues("grpc-status").Single());
        Assert.Equal(encoding, Assert.Single(stub.Requests).Headers["grpc-encoding"]);
        Assert.Equal(keys, await gateway.MetricAsync("dera_gateway_affinity_total{hit=\"true\"}"));
    }

    private static byte[] Message(string prompt) => new GenerateRequest { Prompt = new() { Text = prompt } }.ToByteArray();

    private static byte[] Gzip(byte[] message) => Packed(message, to => new GZipStream(to, CompressionLevel.Optimal));

    private static byte[] Deflate(byte[] message) => Packed(message, to => new ZLibStream(to, CompressionLevel.Optimal));

    private static byte[] Packed(byte[] message, Func<Stream, Stream> packing)
    {
        using var packed = new MemoryStream();
        using (var to = packing(packed)) to.Write(message);
        var bytes = packed.ToArray();
        Assert.True(bytes.Length < MaxBodyBytes);
        return bytes;
    }
}
