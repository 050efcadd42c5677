using DeRa.Protos.V1;
using Grpc.Core;
using Xunit;

namespace DeRa.Server.Tests.Grpc;

public class MalformedMessageTests
{
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;

    private static readonly Marshaller<byte[]> Bytes = Marshallers.Create<byte[]>(bytes => bytes, bytes => bytes);

    [Theory]
    [InlineData(MethodType.Unary, "Generate")]
    [InlineData(MethodType.ServerStreaming, "GenerateStream")]
    public async Task Bytes_that_are_no_message_are_the_clients_fault(MethodType type, string name)
    {
        using var logs = new LogCollector();
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("fine"), logs: logs);
        var method = new Method<byte[], byte[]>(type, InferenceService.Descriptor.FullName, name, Bytes, Bytes);
        var options = new CallOptions(cancellationToken: Stop);
        byte[] broken = [0x12, 0x7f, 1];
        var fault = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            if (type == MethodType.Unary) await server.Channel.CreateCallInvoker().AsyncUnaryCall(method, null, options, broken);
            else await server.Channel.CreateCallInvoker().AsyncServerStreamingCall(method, null, options, broken)
                .ResponseStream.MoveNext(Stop);
        });
        Assert.Equal(StatusCode.InvalidArgument, fault.StatusCode);
        Assert.Contains("cannot be read", fault.Status.Detail, StringComparison.Ordinal);
        var request = new GenerateRequest { Prompt = new Prompt { Text = "a" } };
        Assert.Equal("fine", (await server.Inference.GenerateAsync(request, cancellationToken: Stop)).Choices[0].Text);
        Assert.DoesNotContain(logs.Lines, line => line.Contains("InvalidProtocolBufferException", StringComparison.Ordinal));
    }
}
