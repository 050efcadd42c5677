using CsCheck;
using DeRa.Protos.V1;
using DeRa.Server.Tests.Grpc;
using DeRa.Testing;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Rpc;
using Grpc.Core;
using Grpc.Net.Client;
using Xunit;

namespace DeRa.Server.Tests.Fuzzing;

/// <summary>
/// Whatever messages or bytes come over gRPC, over whichever method: an answer or a refusal that names a field, never a fault;
/// the server goes on, and holds no block.
/// </summary>
public class ProtobufFuzzTests
{
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;

    private static readonly Marshaller<byte[]> Bytes = Marshallers.Create<byte[]>(bytes => bytes, bytes => bytes);

    /// <param name="Method">A method that takes one message.</param>
    /// <param name="Request">The message, perhaps broken.</param>
    /// <param name="IsMessage">Whether it is none for sure.</param>
    private sealed record Call(MethodDescriptor Method, byte[] Request, bool IsMessage)
    {
        public override string ToString() =>
            $"{Method.Name} {(IsMessage ? Method.InputType.Parser.ParseFrom(Request) : Convert.ToHexString(Request))}";
    }

    /// <param name="Messages">What the client says, one after the other, without waiting.</param>
    /// <param name="IsClosing">Whether it then closes its side.</param>
    /// <param name="Events">After so many events it leaves.</param>
    private sealed record Talk(byte[][] Messages, bool IsClosing, int Events)
    {
        public override string ToString() =>
            $"{string.Join(' ', Messages.Select(Convert.ToHexString))}, {(IsClosing ? "closes" : "stays open")}, leaves after {Events}";
    }

    private static readonly Gen<Call> Messages = Gen.OneOf(
        Calls(ProtobufCases.Generate, "Generate", "GenerateStream"), Calls(ProtobufCases.Chat, "Chat", "ChatStream"),
        Calls(ProtobufCases.Tokenize, "Tokenize"), Calls(ProtobufCases.Score, "Score"), Calls(ProtobufCases.Detokenize, "Detokenize"));

    private static readonly Gen<Call> Broken = Gen.OneOf(
        BrokenCalls(ProtobufCases.Generate, "Generate", "GenerateStream"), BrokenCalls(ProtobufCases.Chat, "Chat", "ChatStream"),
        BrokenCalls(ProtobufCases.Tokenize, "Tokenize"), BrokenCalls(ProtobufCases.Score, "Score"),
        BrokenCalls(ProtobufCases.Detokenize, "Detokenize", "ListModels", "GetServerInfo"));

    private static readonly Gen<Talk> Talks =
        from start in Gen.Frequency<byte[]>(
            (8, ProtobufCases.Generate.Select(ProtobufCases.Start).Select(MessageExtensions.ToByteArray)), (1, AnyCommand))
        from commands in AnyCommand.Array[0, 6]
        from closes in Gen.Bool
        from events in Gen.Frequency<int>((2, Gen.Const(int.MaxValue)), (1, Gen.Int[0, 8]))
        select new Talk([start, .. commands], closes, events);

    private static Gen<byte[]> AnyCommand => Gen.Frequency<byte[]>(
        (8, ProtobufCases.Wish.Select(MessageExtensions.ToByteArray)), (1, ProtobufCases.Broken(ProtobufCases.Wish)));

    [Fact]
    public Task Any_message_gets_an_answer_or_a_refusal_that_names_a_field() => RunAsync(Messages, CallAsync);

    [Fact]
    public Task Any_bytes_get_an_answer_or_a_refusal() => RunAsync(Broken, CallAsync);

    [Fact]
    public Task Whatever_a_client_says_while_tokens_flow_and_whenever_it_leaves_the_server_goes_on() => RunAsync(Talks, TalkAsync);

    [Fact]
    public void Every_method_is_called() => Assert.Equal(
        ["Chat", "ChatStream", "Converse", "Detokenize", "Generate", "GenerateStream", "GetServerInfo", "ListModels", "Score",
            "Tokenize"],
        InferenceService.Descriptor.Methods.Select(method => method.Name).Order());

    private static async Task RunAsync<T>(Gen<T> cases, Func<ServerFixture, T, Task> run) where T : notnull
    {
        await using var server = await ServerFixture.StartAsync(new ScriptedExecutor(blockCount: 64));
        await FuzzRun.RunAsync(cases, one => one.ToString()!, async one =>
        {
            await run(server, one);
            var normal = new GenerateRequest { Prompt = new Prompt { Text = "a" }, Options = new GenerationOptions { MaxTokens = 1 } };
            Assert.Single((await server.Inference.GenerateAsync(normal, cancellationToken: Stop)).Choices);
            await ServerFixture.EventuallyAsync(() => server.Engine.Status is { BlocksInUse: 0, RunningSequences: 0, QueuedSequences: 0 });
        });
    }

    private static async Task CallAsync(ServerFixture server, Call call)
    {
        var (calls, options) = (server.Channel.CreateCallInvoker(), new CallOptions(cancellationToken: Stop));
        var type = call.Method.IsServerStreaming ? MethodType.ServerStreaming : MethodType.Unary;
        try
        {
            if (type == MethodType.Unary) await calls.AsyncUnaryCall(Raw(type, call.Method.Name), null, options, call.Request);
            else await ReadAsync(calls.AsyncServerStreamingCall(Raw(type, call.Method.Name), null, options, call.Request).ResponseStream);
        }
        catch (RpcException fault)
        {
            CheckRefusal(fault, call.Method.InputType, call.IsMessage);
        }
    }

    private static async Task TalkAsync(ServerFixture server, Talk talk)
    {
        // A connection of its own: the web server bounds how many calls one may break off within seconds.
        using var channel = GrpcChannel.ForAddress($"http://{server.Channel.Target}");
        using var call = channel.CreateCallInvoker().AsyncDuplexStreamingCall(
            Raw(MethodType.DuplexStreaming, "Converse"), null, new CallOptions(cancellationToken: Stop));
        var saying = SayAsync(call.RequestStream, talk);
        try
        {
            await ReadAsync(call.ResponseStream, talk.Events);
        }
        catch (RpcException fault)
        {
            CheckRefusal(fault, ConverseRequest.Descriptor, isMessage: false);
        }
        call.Dispose();
        await saying;
    }

    private static async Task SayAsync(IClientStreamWriter<byte[]> stream, Talk talk)
    {
        try
        {
            foreach (var message in talk.Messages) await stream.WriteAsync(message, Stop);
            if (talk.IsClosing) await stream.CompleteAsync();
        }
        catch (Exception end) when (end is RpcException or InvalidOperationException or OperationCanceledException)
        {
            // The call is over.
        }
    }

    private static async Task ReadAsync(IAsyncStreamReader<byte[]> stream, int events = int.MaxValue)
    {
        while (events-- > 0 && await stream.MoveNext(Stop))
        {
        }
    }

    private static void CheckRefusal(RpcException fault, MessageDescriptor request, bool isMessage)
    {
        Assert.True(fault.StatusCode is StatusCode.InvalidArgument or StatusCode.NotFound, fault.ToString());
        var field = fault.GetRpcStatus()!.GetDetail<BadRequest>()?.FieldViolations.Single().Field;
        Assert.True(field is null ? !isMessage : ProtoPath.Exists(request, field), fault.ToString());
    }

    private static Gen<Call> Calls<T>(Gen<T> messages, params string[] methods) where T : IMessage =>
        Gen.Select(Gen.OneOf(methods), messages).Select(both => new Call(Method(both.Item1), both.Item2.ToByteArray(), true));

    private static Gen<Call> BrokenCalls<T>(Gen<T> messages, params string[] methods) where T : IMessage =>
        Gen.Select(Gen.OneOf(methods), ProtobufCases.Broken(messages)).Select(both => new Call(Method(both.Item1), both.Item2, false));

    private static MethodDescriptor Method(string name) => InferenceService.Descriptor.FindMethodByName(name);

    private static Method<byte[], byte[]> Raw(MethodType type, string name) =>
        new(type, InferenceService.Descriptor.FullName, name, Bytes, Bytes);
}
