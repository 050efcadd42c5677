using DeRa.Protos.V1;
using Google.Protobuf;
using Grpc.Core;
using Xunit;

namespace DeRa.Server.Tests.Grpc;

public class MalformedMessageTests
{
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;

    private static readonly byte[] Broken = [0x12, 0x7f, 1];

    private static readonly Marshaller<byte[]> Bytes = Marshallers.Create<byte[]>(bytes => bytes, bytes => bytes);

    /// <summary>All of the service's, with those of a later day.</summary>
    public static TheoryData<MethodType, string> Methods
    {
        get
        {
            var data = new TheoryData<MethodType, string>();
            foreach (var method in InferenceService.Descriptor.Methods)
                data.Add(method switch
                {
                    { IsClientStreaming: true } => MethodType.DuplexStreaming,
                    { IsServerStreaming: true } => MethodType.ServerStreaming,
                    _ => MethodType.Unary,
                }, method.Name);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public async Task Bytes_that_are_no_message_are_the_clients_fault(MethodType type, string name)
    {
        using var logs = new LogCollector();
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("fine"), logs: logs);
        var method = new Method<byte[], byte[]>(type, InferenceService.Descriptor.FullName, name, Bytes, Bytes);
        var options = new CallOptions(cancellationToken: Stop);
        var fault = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            if (type == MethodType.Unary) await server.Channel.CreateCallInvoker().AsyncUnaryCall(method, null, options, Broken);
            else if (type == MethodType.ServerStreaming)
                await server.Channel.CreateCallInvoker().AsyncServerStreamingCall(method, null, options, Broken)
                    .ResponseStream.MoveNext(Stop);
            else await ConverseAsync(server, method, options);
        });
        Assert.Equal(StatusCode.InvalidArgument, fault.StatusCode);
        Assert.Contains("cannot be read", fault.Status.Detail, StringComparison.Ordinal);
        var request = new GenerateRequest { Prompt = new Prompt { Text = "a" } };
        Assert.Equal("fine", (await server.Inference.GenerateAsync(request, cancellationToken: Stop)).Choices[0].Text);
        Assert.DoesNotContain(logs.Lines, line => line.Contains("InvalidProtocolBufferException", StringComparison.Ordinal));
        Assert.Equal(0, server.Engine.Status.BlocksInUse);
    }

    [Fact]
    public async Task Bytes_that_are_no_wish_end_a_conversation_and_free_its_blocks()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Endless());
        var method = new Method<byte[], byte[]>(MethodType.DuplexStreaming, InferenceService.Descriptor.FullName, "Converse", Bytes, Bytes);
        var start = new ConverseRequest
        {
            Start = new ConverseStart { Prompt = new() { Text = "a" }, Options = new() { MaxTokens = 200, IgnoreEos = true } },
        };
        using var hold = new SemaphoreSlim(0);
        server.Executor.BeforeStep = plan => hold.Wait(server.Executor.TestOver);
        var fault = await Assert.ThrowsAsync<RpcException>(
            () => ConverseAsync(server, method, new CallOptions(cancellationToken: Stop), start.ToByteArray()));
        Assert.Equal(StatusCode.InvalidArgument, fault.StatusCode);
        hold.Release(1000);
        await ServerFixture.EventuallyAsync(() => server.Engine.Status is { BlocksInUse: 0, RunningSequences: 0 });
    }

    private static async Task ConverseAsync(ServerFixture server, Method<byte[], byte[]> method, CallOptions options, byte[]? first = null)
    {
        using var call = server.Channel.CreateCallInvoker().AsyncDuplexStreamingCall(method, null, options);
        if (first is not null) await call.RequestStream.WriteAsync(first, Stop);
        await call.RequestStream.WriteAsync(Broken, Stop);
        await call.RequestStream.CompleteAsync();
        while (await call.ResponseStream.MoveNext(Stop)) { }
    }
}
