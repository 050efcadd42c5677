using DeRa.Protos.V1;
using DeRa.Server.Options;
using DeRa.Serving;
using Grpc.Core;
using Grpc.Health.V1;
using Grpc.Reflection.V1Alpha;
using Xunit;
using ServingStatus = Grpc.Health.V1.HealthCheckResponse.Types.ServingStatus;

namespace DeRa.Server.Tests.Grpc;

public class HealthTests
{
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;

    [Fact]
    public async Task Health_follows_readiness_for_the_server_and_the_service()
    {
        var loaded = new TaskCompletionSource<ServedPair>();
        await using var server = await ServerFixture.StartLoadingAsync((_, _) => loaded.Task);
        var health = new Health.HealthClient(server.Channel);
        using var watch = health.Watch(new HealthCheckRequest(), cancellationToken: Stop);
        Assert.True(await watch.ResponseStream.MoveNext(Stop));
        Assert.Equal(ServingStatus.NotServing, watch.ResponseStream.Current.Status);
        foreach (var service in (string[])["", "dera.v1.InferenceService"])
            Assert.Equal(ServingStatus.NotServing,
                (await health.CheckAsync(new HealthCheckRequest { Service = service }, cancellationToken: Stop)).Status);
        loaded.SetResult(ServerFixture.Pair(Scripts.Saying("x")));
        Assert.True(await watch.ResponseStream.MoveNext(Stop));
        Assert.Equal(ServingStatus.Serving, watch.ResponseStream.Current.Status);
        foreach (var service in (string[])["", "dera.v1.InferenceService"])
            Assert.Equal(ServingStatus.Serving,
                (await health.CheckAsync(new HealthCheckRequest { Service = service }, cancellationToken: Stop)).Status);
        var unknown = await Assert.ThrowsAsync<RpcException>(
            async () => await health.CheckAsync(new HealthCheckRequest { Service = "other" }, cancellationToken: Stop));
        Assert.Equal(StatusCode.NotFound, unknown.StatusCode);
    }

    [Fact]
    public async Task A_watch_sees_the_drain_and_then_ends_so_that_the_server_can()
    {
        using var hold = new SemaphoreSlim(0);
        var executor = Scripts.Saying("abc");
        await using var server = await ServerFixture.StartLoadingAsync(
            (_, _) => Task.FromResult(ServerFixture.Pair(executor)), executor,
                options: new ServerOptions { Time = new() { DrainSeconds = 120 } });
        await server.PhaseChangedAsync();
        executor.BeforeStep = _ => hold.Wait(executor.TestOver);
        using var watch = new Health.HealthClient(server.Channel).Watch(
            new HealthCheckRequest { Service = "dera.v1.InferenceService" }, cancellationToken: Stop);
        Assert.True(await watch.ResponseStream.MoveNext(Stop));
        Assert.Equal(ServingStatus.Serving, watch.ResponseStream.Current.Status);
        using var reflection = new ServerReflection.ServerReflectionClient(server.Channel).ServerReflectionInfo(cancellationToken: Stop);
        using var silent = server.Inference.Converse(cancellationToken: Stop);
        await reflection.RequestStream.WriteAsync(new ServerReflectionRequest { ListServices = "" }, Stop);
        Assert.True(await reflection.ResponseStream.MoveNext(Stop));
        var running = server.Inference.GenerateAsync(new GenerateRequest { Prompt = new Prompt { Text = "a" } }, cancellationToken: Stop);
        await ServerFixture.EventuallyAsync(() => server.Engine.Status.RunningSequences == 1);

        var stopping = server.StopAsync();
        Assert.True(await watch.ResponseStream.MoveNext(Stop));
        Assert.Equal(ServingStatus.NotServing, watch.ResponseStream.Current.Status);
        var more = watch.ResponseStream.MoveNext(Stop);
        Assert.False(more.IsCompleted);
        hold.Release(1000);
        Assert.Equal("abc", (await running).Choices[0].Text);
        var end = await Assert.ThrowsAsync<RpcException>(() => more);
        Assert.Equal((StatusCode.Unavailable, "The server is shutting down."), (end.StatusCode, end.Status.Detail));
        // These two have not closed their sides: their client may see the connection's end before it has read their status.
        await Assert.ThrowsAsync<RpcException>(() => reflection.ResponseStream.MoveNext(Stop));
        await Assert.ThrowsAsync<RpcException>(() => silent.ResponseStream.MoveNext(Stop));
        await stopping.WaitAsync(Stop);
    }

    [Fact]
    public async Task Reflection_lists_the_services()
    {
        await using var server = await ServerFixture.StartAsync();
        using var call = new ServerReflection.ServerReflectionClient(server.Channel).ServerReflectionInfo(cancellationToken: Stop);
        await call.RequestStream.WriteAsync(new ServerReflectionRequest { ListServices = "" }, Stop);
        Assert.True(await call.ResponseStream.MoveNext(Stop));
        var names = call.ResponseStream.Current.ListServicesResponse.Service.Select(service => service.Name);
        Assert.Superset(new HashSet<string> { "dera.v1.InferenceService", "grpc.health.v1.Health" }, names.ToHashSet());
        await call.RequestStream.CompleteAsync();
    }

    [Fact]
    public async Task An_unknown_service_is_unimplemented()
    {
        await using var server = await ServerFixture.StartAsync();
        var method = new Method<byte[], byte[]>(MethodType.Unary, "dera.v1.Other", "Do",
            Marshallers.Create<byte[]>(bytes => bytes, bytes => bytes), Marshallers.Create<byte[]>(bytes => bytes, bytes => bytes));
        var fault = await Assert.ThrowsAsync<RpcException>(async () => await server.Channel.CreateCallInvoker()
            .AsyncUnaryCall(method, null, new CallOptions(cancellationToken: Stop), []));
        Assert.Equal(StatusCode.Unimplemented, fault.StatusCode);
    }
}
