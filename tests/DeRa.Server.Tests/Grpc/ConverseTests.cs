using System.Collections.Concurrent;
using DeRa.Engine.Scheduling;
using DeRa.Protos.V1;
using DeRa.Server.Options;
using DeRa.Server.State;
using Google.Rpc;
using Grpc.Core;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace DeRa.Server.Tests.Grpc;

/// <summary>A client that changes the strength, or stops, while tokens flow.</summary>
public class ConverseTests
{
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;

    private static ConverseRequest Start(int maxTokens = 200) => new()
    {
        Start = new ConverseStart
        {
            Prompt = new Prompt { Text = "a" },
            Options = new GenerationOptions { MaxTokens = maxTokens, AlignmentStrength = 0 }
        },
    };

    private static ConverseRequest Change(double strength) => new() { Change = new StrengthChange { AlignmentStrength = strength } };

    [Fact]
    public async Task A_strength_that_changes_reaches_the_engine_and_is_told()
    {
        var strengths = new ConcurrentQueue<double>();
        var executor = Scripts.Endless();
        executor.BeforeStep = plan =>
        {
            foreach (var readout in plan.Readouts) strengths.Enqueue(readout.Strengths[0]);
        };
        // Guesses are made at strengths of their own.
        await using var server = await ServerFixture.StartAsync(executor, new() { Speculation = Speculation.Off });
        using var call = server.Inference.Converse(cancellationToken: Stop);
        await call.RequestStream.WriteAsync(Start(maxTokens: 1_000_000), Stop);
        var events = new List<ConverseResponse>();
        await foreach (var happened in call.ResponseStream.ReadAllAsync(Stop))
        {
            events.Add(happened);
            // The first step may begin later than the stream does; by its first text it is over.
            if (happened.Delta is not null && events.Count(earlier => earlier.Delta is not null) == 1)
                await call.RequestStream.WriteAsync(Change(0.5), Stop);
            if (happened.Changed is not null) await call.RequestStream.WriteAsync(new ConverseRequest { Stop = new ConverseStop() }, Stop);
        }
        var changed = Assert.Single(events, happened => happened.Changed is not null).Changed;
        Assert.Equal((0, 0.5), (changed.Index, changed.AlignmentStrength));
        Assert.Equal([0, 0.5], strengths.Distinct());
    }

    [Fact]
    public async Task The_client_may_close_its_side_and_gets_all()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Endless());
        using var call = server.Inference.Converse(cancellationToken: Stop);
        await call.RequestStream.WriteAsync(Start(maxTokens: 50), Stop);
        await call.RequestStream.CompleteAsync();
        var events = await call.ResponseStream.ReadAllAsync(Stop).ToListAsync(Stop);
        Assert.Equal(50, events.Sum(happened => happened.Delta?.Tokens.Count ?? 0));
        Assert.Equal(FinishReason.Length, events[^1].Finished.FinishReason);
    }

    [Fact]
    public async Task A_client_that_stops_gets_what_there_is_and_frees_what_it_held()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Endless());
        using var call = server.Inference.Converse(cancellationToken: Stop);
        await call.RequestStream.WriteAsync(Start(maxTokens: 1_000_000), Stop);
        var (tokens, last) = (0, default(ConverseResponse));
        await foreach (var happened in call.ResponseStream.ReadAllAsync(Stop))
        {
            if (tokens == 0
                && happened.Delta is not null) await call.RequestStream.WriteAsync(new ConverseRequest { Stop = new ConverseStop() }, Stop);
            tokens += happened.Delta?.Tokens.Count ?? 0;
            last = happened;
        }
        Assert.Equal(FinishReason.Cancelled, last!.Finished.FinishReason);
        Assert.Equal(tokens, last.Finished.Usage.CompletionTokens);
        await ServerFixture.EventuallyAsync(() => server.Engine.Status.BlocksInUse == 0);
    }

    [Fact]
    public async Task A_client_that_goes_away_frees_what_it_held()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Endless());
        using (var call = server.Inference.Converse(cancellationToken: Stop))
        {
            await call.RequestStream.WriteAsync(Start(maxTokens: 1_000_000), Stop);
            Assert.True(await call.ResponseStream.MoveNext(Stop));
        }
        await ServerFixture.EventuallyAsync(() => server.Engine.Status.BlocksInUse == 0);
    }

    public static TheoryData<string, string, string> Wrong => new()
    {
        { "out of range", "change.alignment_strength", "between -1 and 10" },
        { "unknown name", "change.alignment_strengths.other", "none of the aligned models" },
        { "empty change", "change.alignment_strength", "is needed" },
        { "start again", "event", "once, first" },
        { "nothing", "event", "'change' or 'stop'" },
        { "no number", "change.alignment_strength", "between -1 and 10" },
        { "no number by name", "change.alignment_strengths.aligned", "between -1 and 10" },
        { "both", "change.alignment_strengths", "both set" },
    };

    [Theory, MemberData(nameof(Wrong))]
    public async Task A_wrong_wish_ends_the_call_by_name(string name, string field, string message)
    {
        var wish = name switch
        {
            "out of range" => Change(11),
            "unknown name" => new ConverseRequest { Change = new StrengthChange { AlignmentStrengths = { ["other"] = 1 } } },
            "no number" => Change(double.NaN),
            "no number by name" => new() { Change = new StrengthChange { AlignmentStrengths = { ["aligned"] = double.NaN } } },
            "both" => new() { Change = new StrengthChange { AlignmentStrength = 1, AlignmentStrengths = { ["aligned"] = 1 } } },
            "empty change" => new ConverseRequest { Change = new StrengthChange() },
            "start again" => Start(),
            _ => new ConverseRequest(),
        };
        await using var server = await ServerFixture.StartAsync(Scripts.Endless());
        using var call = server.Inference.Converse(cancellationToken: Stop);
        await call.RequestStream.WriteAsync(Start(maxTokens: 1_000_000), Stop);
        await call.RequestStream.WriteAsync(wish, Stop);
        AssertRefused(await FaultAsync(call), field, message);
        await ServerFixture.EventuallyAsync(() => server.Engine.Status.BlocksInUse == 0);
    }

    [Fact]
    public async Task The_first_message_must_be_a_start_and_a_good_one()
    {
        await using var server = await ServerFixture.StartAsync();
        using var early = server.Inference.Converse(cancellationToken: Stop);
        await early.RequestStream.WriteAsync(Change(0.5), Stop);
        AssertRefused(await FaultAsync(early), "event", "must be 'start'");
        using var none = server.Inference.Converse(cancellationToken: Stop);
        await none.RequestStream.CompleteAsync();
        AssertRefused(await FaultAsync(none), "event", "must be 'start'");
        using var bad = server.Inference.Converse(cancellationToken: Stop);
        await bad.RequestStream.WriteAsync(new ConverseRequest { Start = new ConverseStart() }, Stop);
        AssertRefused(await FaultAsync(bad), "start.prompt", "missing");
        using var hot = server.Inference.Converse(cancellationToken: Stop);
        await hot.RequestStream.WriteAsync(new()
        {
            Start = new ConverseStart { Prompt = new Prompt { Text = "a" }, Options = new GenerationOptions { Temperature = double.NaN } },
        }, Stop);
        AssertRefused(await FaultAsync(hot), "start.options.temperature", "between");
    }

    [Fact]
    public async Task A_client_that_never_starts_is_let_go_and_holds_nothing()
    {
        var (executor, time) = (Scripts.Saying("abc"), new FakeTimeProvider());
        await using var server = await ServerFixture.StartLoadingAsync((_, _) => Task.FromResult(ServerFixture.Pair(executor)), executor,
            options: new ServerOptions { Time = new() { DrainSeconds = 0 }, Connection = new() { HeaderSeconds = 30 } }, time: time);
        await server.PhaseChangedAsync();
        using var call = server.Inference.Converse(cancellationToken: Stop);
        var fault = FaultAsync(call);
        // However long the call takes to arrive, time passes until it has waited for half a minute.
        await ServerFixture.EventuallyAsync(() =>
        {
            time.Advance(TimeSpan.FromSeconds(31));
            return fault.IsCompleted;
        });
        Assert.Equal(StatusCode.DeadlineExceeded, (await fault).StatusCode);
    }

    [Fact]
    public async Task Of_a_flood_of_changes_the_last_is_in_force_and_no_more_than_one_is_told_a_step()
    {
        using var hold = new SemaphoreSlim(0);
        var executor = Scripts.Endless();
        executor.BeforeStep = _ => hold.Wait(executor.TestOver);
        await using var server = await ServerFixture.StartAsync(executor);
        using var call = server.Inference.Converse(cancellationToken: Stop);
        await call.RequestStream.WriteAsync(Start(maxTokens: 1_000_000), Stop);
        await ServerFixture.EventuallyAsync(() => server.Engine.Status.RunningSequences == 1);
        for (var i = 0; i < ChangeRate.MaxChangesPerSecond - 1; i++) await call.RequestStream.WriteAsync(Change(i % 2), Stop);
        await call.RequestStream.WriteAsync(Change(0.5), Stop);
        hold.Release(2_000_000);
        var (tokens, changes) = (0, new List<double>());
        await foreach (var happened in call.ResponseStream.ReadAllAsync(Stop))
        {
            tokens += happened.Delta?.Tokens.Count ?? 0;
            if (happened.Changed is null) continue;
            changes.Add(happened.Changed.AlignmentStrength);
            if (changes[^1] == 0.5) await call.RequestStream.WriteAsync(new ConverseRequest { Stop = new ConverseStop() }, Stop);
        }
        Assert.Equal(0.5, changes[^1]);
        // Each step before the last change made a token.
        Assert.InRange(changes.Count, 1, tokens + 1);
    }

    [Fact]
    public async Task More_changes_in_a_second_than_any_slider_sends_end_the_call()
    {
        var (executor, time) = (Scripts.Endless(), new FakeTimeProvider());
        await using var server = await ServerFixture.StartLoadingAsync(
            (_, _) => Task.FromResult(ServerFixture.Pair(executor)), executor, time: time);
        await server.PhaseChangedAsync();
        using var call = server.Inference.Converse(cancellationToken: Stop);
        await call.RequestStream.WriteAsync(Start(maxTokens: 1_000_000), Stop);
        var fault = FaultAsync(call);
        try
        {
            // Time stands still: all of them are of one second.
            for (var i = 0; i <= ChangeRate.MaxChangesPerSecond; i++) await call.RequestStream.WriteAsync(Change(i % 2), Stop);
        }
        catch (Exception end) when (end is RpcException or InvalidOperationException)
        {
            // The call is over before the client knows.
        }
        Assert.Equal((StatusCode.ResourceExhausted, "'change' may be sent at most 1000 times a second."),
            ((await fault).StatusCode, (await fault).Status.Detail));
        await ServerFixture.EventuallyAsync(() => server.Engine.Status.BlocksInUse == 0);
    }

    [Fact]
    public async Task Commands_after_the_end_do_no_harm()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("abc"));
        using var call = server.Inference.Converse(cancellationToken: Stop);
        await call.RequestStream.WriteAsync(Start(), Stop);
        while (await call.ResponseStream.MoveNext(Stop) && call.ResponseStream.Current.Finished is null) { }
        try
        {
            foreach (var wish in (ConverseRequest[])[Change(0.5), new() { Stop = new ConverseStop() }, Change(1)])
                await call.RequestStream.WriteAsync(wish, Stop);
        }
        catch (Exception end) when (end is RpcException or InvalidOperationException)
        {
            // The call is over.
        }
        Assert.False(await call.ResponseStream.MoveNext(Stop));
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
        await ServerFixture.EventuallyAsync(() => server.Engine.Status is { BlocksInUse: 0, RunningSequences: 0 });
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(9)]
    public async Task A_client_that_leaves_after_any_event_frees_what_it_held(int events)
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Endless());
        using (var call = server.Inference.Converse(cancellationToken: Stop))
        {
            await call.RequestStream.WriteAsync(Start(maxTokens: 1_000_000), Stop);
            await call.RequestStream.WriteAsync(Change(0.5), Stop);
            if (events == 0) await ServerFixture.EventuallyAsync(() => server.Engine.Status.RunningSequences == 1);
            for (var i = 0; i < events; i++) Assert.True(await call.ResponseStream.MoveNext(Stop));
        }
        await ServerFixture.EventuallyAsync(() => server.Engine.Status is { BlocksInUse: 0, RunningSequences: 0, QueuedSequences: 0 });
    }

    private static async Task<RpcException> FaultAsync(AsyncDuplexStreamingCall<ConverseRequest, ConverseResponse> call) =>
        await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.ReadAllAsync(Stop).ToListAsync(Stop).AsTask());

    private static void AssertRefused(RpcException fault, string field, string message)
    {
        Assert.Equal(StatusCode.InvalidArgument, fault.StatusCode);
        Assert.Contains(message, fault.Status.Detail, StringComparison.Ordinal);
        Assert.Equal(field, Assert.Single(fault.GetRpcStatus()!.GetDetail<BadRequest>()!.FieldViolations).Field);
        Assert.True(ProtoPath.Exists(ConverseRequest.Descriptor, field), field);
    }
}
