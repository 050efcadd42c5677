using System.Globalization;
using System.Net.Http.Json;
using DeRa.Protos.V1;
using Grpc.Net.Client;
using Xunit;

namespace DeRa.Server.Tests.Uploads;

/// <summary>Bodies that are no bodies, and clients that go away in the middle of one: their fault, not the server's.</summary>
public class BrokenUploadTests
{
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;

    private const string Chunked = "Transfer-Encoding: chunked";

    public static TheoryData<string, string> Framings => new()
    {
        { Chunked, "FFFFFFFFFFFFFFFFF\r\n{" },
        { Chunked, "FFFFFFFFFFFFFFFF\r\n{" },
        { Chunked, "10000000000000000\r\n{" },
        { Chunked, "8000000000000000\r\n{" },
        { Chunked, "7FFFFFFFFFFFFFFF\r\n{" },
        { Chunked, "100000000\r\n{" },
        { Chunked, "0000000000000000000000000000000000000000000000001\r\n{\r\n" + "FFFFFFFFFFFFFFFFF\r\n" },
        { Chunked, "-1\r\n{" },
        { Chunked, "0x5\r\n{" },
        { Chunked, "G\r\n{" },
        { Chunked, "\r\n{" },
        { Chunked, ";\r\n{" },
        { Chunked, "1\n{" },
        { Chunked, "1\r\n{}\r\n" },
        { Chunked, "1\r\n{xx" },
        { Chunked, "1\r\n{\r\n1\r\n}\r\n0\r\nno trailer\r\n\r\n" },
        { Chunked, "1;" + new string('x', 100_000) + "\r\n{\r\n0\r\n\r\n" },
        { Chunked + "\r\nContent-Length: 5", "1\r\n{\r\n0\r\n\r\n" },
        { "Transfer-Encoding: gzip, chunked", "0\r\n\r\n" },
        { "Content-Length: FF", "{" },
        { "Content-Length: -1", "{" },
        { "Content-Length: 99999999999999999999", "{" },
        { "Content-Length: 2\r\nContent-Length: 3", "{}" },
    };

    [Theory]
    [MemberData(nameof(Framings))]
    public async Task No_framing_of_a_body_is_the_server_s_fault(string framing, string body)
    {
        var logs = new LogCollector();
        await using var server = await ServerFixture.StartAsync(logs: logs);
        using var upload = await Http1Upload.BeginAsync(server.Http.BaseAddress!, "/v1/completions", framing);
        await upload.SendAsync(body);
        Assert.InRange(await upload.StatusAsync(), 400, 499);
        Assert.Empty(logs.Errors);
    }

    [Fact]
    public async Task A_client_that_goes_away_in_mid_body_writes_no_error_and_is_counted_as_gone()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("signals are sent with kill");
        const int each = 10;
        await using var server = await ServerProcess.StartAsync("--drain-seconds=0");
        async Task<Dictionary<string, double>> ErrorsAsync() => (await server.Http.GetStringAsync("/metrics", Stop)).Split('\n')
            .Where(line => line.StartsWith("dera_request_errors_total{", StringComparison.Ordinal))
            .ToDictionary(line => line.Split("error_type=\"")[1].Split('"')[0], line =>
                double.Parse(line.Split("} ")[1], CultureInfo.InvariantCulture));
        var expected = 0;
        Task CountedAsync(int more)
        {
            expected += more;
            return server.EventuallyAsync(async () => (await ErrorsAsync()).Values.Sum() >= expected);
        }

        // HTTP/1.1: a reset of the connection, and its end, after which the client might still read.
        foreach (var (path, resets) in ((string, bool)[])[("/v1/completions", true), ("/tokenize", true), ("/tokenize", false)])
        {
            var uploads = new List<Http1Upload>();
            for (var i = 0; i < each; i++)
            {
                var upload = await Http1Upload.BeginAsync(server.Http.BaseAddress!, path, "Content-Length: 1000\r\nExpect: 100-continue");
                await upload.ContinuedAsync();
                await upload.SendAsync("{");
                uploads.Add(upload);
            }
            foreach (var upload in uploads)
                if (resets) upload.Reset();
                else upload.End();
            await CountedAsync(each);
            foreach (var upload in uploads) upload.Dispose();
        }

        // HTTP/2: a reset of streams, then of the connection with all its streams.
        foreach (var connectionEnds in (bool[])[false, true])
        {
            using var gone = new CancellationTokenSource();
            System.Net.Sockets.Socket? socket = null;
            using var handler = new SocketsHttpHandler
            {
                ConnectCallback = async (target, cancellation) =>
                {
                    socket = new(System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp) { LingerState = new(true, 0) };
                    await socket.ConnectAsync(target.DnsEndPoint, cancellation);
                    return new System.Net.Sockets.NetworkStream(socket);
                },
            };
            using var http = new HttpClient(handler);
            var calls = Enumerable.Range(0, each)
                .Select(_ => new GrpcUpload(1000, 10).SendAsync(http, server.Grpc, cancellation: gone.Token)).ToList();
            using (var ping = new GrpcUpload(0, 0))
            {
                ping.Finish();
                using var answered = await ping.SendAsync(http, server.Grpc, method: "ListModels", cancellation: Stop);
            }
            if (connectionEnds) socket!.Close(0);
            else await gone.CancelAsync();
            foreach (var call in calls) await Assert.ThrowsAnyAsync<Exception>(() => call);
            await CountedAsync(each);
        }

        // Conversations that are cancelled while tokens flow.
        using (var channel = GrpcChannel.ForAddress(server.Grpc))
        {
            var client = new InferenceService.InferenceServiceClient(channel);
            for (var i = 0; i < each; i++)
            {
                using var call = client.Converse(cancellationToken: Stop);
                await call.RequestStream.WriteAsync(new ConverseRequest
                {
                    Start = new() { Prompt = new() { Text = "One day" }, Options = new() { MaxTokens = 400, IgnoreEos = true } },
                }, Stop);
                Assert.True(await call.ResponseStream.MoveNext(Stop));
            }
            await CountedAsync(each);
        }

        // One that only ends its side may still read, and is told that its body is cut off, unless its connection's end is seen first.
        var errors = await ErrorsAsync();
        Assert.Subset(new HashSet<string> { "BadHttpRequestException", "ClientGoneException" }, errors.Keys.ToHashSet());
        Assert.InRange(errors["ClientGoneException"], expected - each, expected);
        using (var served = await server.Http.PostAsJsonAsync("/v1/completions", new { prompt = "a", max_tokens = 2 }, Stop))
            Assert.Equal(200, (int)served.StatusCode);
        server.Terminate();
        Assert.Equal(0, await server.EndedAsync());
        Assert.DoesNotContain(server.Lines, line => line.Contains("Z error ", StringComparison.Ordinal)
            || line.Contains("Z fatal ", StringComparison.Ordinal));
    }
}
