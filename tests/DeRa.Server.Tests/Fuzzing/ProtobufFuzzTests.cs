using CsCheck;
using DeRa.Protos.V1;
using DeRa.Testing;
using Google.Protobuf;
using Google.Rpc;
using Grpc.Core;
using Xunit;
using ChatMessage = DeRa.Protos.V1.ChatMessage;

namespace DeRa.Server.Tests.Fuzzing;

/// <summary>Whatever message or bytes come over gRPC: an answer or a refusal that names a field,
/// never a fault, and the server goes on.</summary>
public class ProtobufFuzzTests
{
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;

    private static readonly Marshaller<byte[]> Bytes = Marshallers.Create<byte[]>(bytes => bytes, bytes => bytes);

    private static readonly Method<byte[], byte[]> Whole = Raw(MethodType.Unary, "Generate");

    private static readonly Method<byte[], byte[]> Streamed = Raw(MethodType.ServerStreaming, "GenerateStream");

    private static readonly Gen<double> Number = Gen.Frequency<double>((4, Gen.Double[0, 2]), (1, Gen.Double[-20, 20]),
        (1, Gen.OneOf(0d, -0.0, 1, double.NaN, double.PositiveInfinity, double.NegativeInfinity, double.Epsilon, double.MaxValue)));

    private static readonly Gen<int> Whole32 = Gen.Frequency<int>(
        (6, Gen.Int[0, 8]), (1, Gen.Int[-3, 300]), (1, Gen.OneOf(int.MinValue, int.MaxValue, 1 << 20)));

    private static readonly Gen<string> Text = Gen.OneOf(
        "", "a", "Once 日🦉", "pair", "pair@0.5", "pair@", "\0", "STOP", new string('x', 300), "aligned");

    /// <summary>Sets one field to something.</summary>
    private static readonly Gen<Action<GenerationOptions>> Change = Gen.OneOf<Action<GenerationOptions>>(
        Set(Number, (options, value) => options.AlignmentStrength = value), Set(Whole32, (options, value) => options.MaxTokens = value),
        Set(Number, (options, value) => options.Temperature = value), Set(Whole32, (options, value) => options.TopK = value),
        Set(Number, (options, value) => options.TopP = value), Set(Number, (options, value) => options.MinP = value),
        Set(Number, (options, value) => options.RepetitionPenalty = value),
        Set(Number, (options, value) => options.FrequencyPenalty = value),
        Set(Number, (options, value) => options.PresencePenalty = value),
        Set(Whole32, (options, value) => options.LogitBias[value] = value),
        Set(Text, (options, value) => options.Stop.Add(value)), Set(Gen.Bool, (options, value) => options.IgnoreEos = value),
        Set(Gen.Long, (options, value) => options.Seed = value), Set(Whole32, (options, value) => options.N = value),
        Set(Whole32, (options, value) => options.Logprobs = value), Set(Gen.Bool, (options, value) => options.Echo = value),
        Set(Gen.Select(Text, Number), (options, value) => options.AlignmentStrengths[value.Item1] = value.Item2));

    private static readonly Gen<Prompt?> Prompts = Gen.OneOf<Prompt?>(
        Text.Select(text => (Prompt?)new Prompt { Text = text }), Gen.Const((Prompt?)null), Gen.Const((Prompt?)new Prompt()),
        Whole32.Array[0, 5].Select(ids => (Prompt?)new Prompt { TokenIds = new TokenIds { Ids = { ids } } }),
        Gen.Select(Gen.Int[0, 4], Text).Array[0, 4].Select(turns => (Prompt?)new Prompt
        {
            Messages = new Conversation
            {
                Messages = { turns.Select(turn => new ChatMessage { Role = (Role)turn.Item1, Content = turn.Item2 }) },
            },
        }));

    private static readonly Gen<GenerateRequest> Requests =
        from prompt in Gen.Frequency<Prompt?>((4, Gen.Const((Prompt?)new Prompt { Text = "Once" })), (2, Prompts))
        from model in Gen.Frequency<string>((6, Gen.Const("")), (1, Text))
        from changes in Change.Array[0, 6]
        select Make(prompt, model, changes);

    /// <summary>Bytes of a message, some of them changed.</summary>
    private static readonly Gen<byte[]> Broken =
        from request in Requests
        from junk in Gen.Select(Gen.Double[0, 1], Gen.Byte, Gen.Int[0, 3]).Array[1, 4]
        from noise in Gen.Frequency<byte[]>((5, Gen.Const(Array.Empty<byte>())), (1, Gen.Byte.Array[0, 64]))
        select noise.Length > 0 ? noise : junk.Aggregate(request.ToByteArray(), Damage);

    [Fact]
    public async Task Any_message_gets_an_answer_or_a_refusal_that_names_a_field()
    {
        await using var server = await ServerFixture.StartAsync(new ScriptedExecutor(blockCount: 64));
        await FuzzRun.RunAsync(Requests, request => request.ToString(),
            request => CheckAsync(server, request.ToByteArray(), isMessage: true));
    }

    [Fact]
    public async Task Any_bytes_get_an_answer_or_a_refusal()
    {
        await using var server = await ServerFixture.StartAsync(new ScriptedExecutor(blockCount: 64));
        await FuzzRun.RunAsync(Broken, Convert.ToHexString, bytes => CheckAsync(server, bytes, isMessage: false));
    }

    private static async Task CheckAsync(ServerFixture server, byte[] request, bool isMessage)
    {
        var calls = server.Channel.CreateCallInvoker();
        var options = new CallOptions(cancellationToken: Stop);
        var whole = await OutcomeAsync(() => calls.AsyncUnaryCall(Whole, null, options, request).ResponseAsync);
        var streamed = await OutcomeAsync(async () =>
        {
            using var call = calls.AsyncServerStreamingCall(Streamed, null, options, request);
            while (await call.ResponseStream.MoveNext(Stop))
            {
            }
        });
        foreach (var fault in (RpcException?[])[whole, streamed]) if (fault is not null) CheckRefusal(fault, isMessage);
        Assert.Equal(whole?.StatusCode, streamed?.StatusCode);
        var normal = new GenerateRequest { Prompt = new Prompt { Text = "a" }, Options = new GenerationOptions { MaxTokens = 1 } };
        Assert.Single((await server.Inference.GenerateAsync(normal, cancellationToken: Stop)).Choices);
        await ServerFixture.EventuallyAsync(() => server.Engine.Status is { BlocksInUse: 0, RunningSequences: 0, QueuedSequences: 0 });
    }

    private static void CheckRefusal(RpcException fault, bool isMessage)
    {
        Assert.True(fault.StatusCode is StatusCode.InvalidArgument or StatusCode.NotFound, fault.ToString());
        var field = fault.GetRpcStatus()!.GetDetail<BadRequest>()?.FieldViolations.Single().Field;
        if (isMessage) Assert.False(string.IsNullOrEmpty(field), fault.ToString());
    }

    private static async Task<RpcException?> OutcomeAsync(Func<Task> call)
    {
        try
        {
            await call();
            return null;
        }
        catch (RpcException fault)
        {
            return fault;
        }
    }

    private static Gen<Action<GenerationOptions>> Set<T>(Gen<T> values, Action<GenerationOptions, T> set) =>
        values.Select(value => (Action<GenerationOptions>)(options => set(options, value)));

    private static GenerateRequest Make(Prompt? prompt, string model, Action<GenerationOptions>[] changes)
    {
        var request = new GenerateRequest { Prompt = prompt, Options = new GenerationOptions() };
        if (model.Length > 0) request.Model = model;
        foreach (var change in changes) change(request.Options);
        return request;
    }

    private static byte[] Damage(byte[] bytes, (double Place, byte Junk, int Kind) damage)
    {
        var at = (int)(damage.Place * bytes.Length);
        return damage.Kind switch
        {
            0 => bytes[..at],
            1 => [.. bytes[..at], damage.Junk, .. bytes[at..]],
            2 when at < bytes.Length => [.. bytes[..at], damage.Junk, .. bytes[(at + 1)..]],
            _ => [.. bytes, .. bytes[at..]],
        };
    }

    private static Method<byte[], byte[]> Raw(MethodType type, string name) =>
        new(type, InferenceService.Descriptor.FullName, name, Bytes, Bytes);
}
