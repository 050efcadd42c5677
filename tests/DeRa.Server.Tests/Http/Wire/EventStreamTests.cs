using DeRa.Server.Http.Wire;
using DeRa.Server.Options;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace DeRa.Server.Tests.Http.Wire;

public class EventStreamTests
{
    [Fact]
    public async Task The_first_event_is_due_at_once_and_later_ones_before_they_pile_up()
    {
        var readers = new SlowReaders(new ServerOptions(), TimeProvider.System, NullLogger<SlowReaders>.Instance);
        using var services = new ServiceCollection().AddSingleton(readers).BuildServiceProvider();
        using var body = new MemoryStream();
        var context = new DefaultHttpContext { RequestServices = services, Response = { Body = body } };
        using var events = new EventStream(context.Response);
        Assert.False(events.IsDue);
        Write(events);
        Assert.True(events.IsDue);
        await events.FlushAsync(TestContext.Current.CancellationToken);
        for (var i = 1; i < EventStream.MaxEventsTogether; i++) Write(events);
        Assert.False(events.IsDue);
        Write(events);
        Assert.True(events.IsDue);
        await events.FlushAsync(TestContext.Current.CancellationToken);
        Assert.False(events.IsDue);
    }

    private static void Write(EventStream events)
    {
        events.Begin().WriteStringValue("a");
        events.End();
    }
}
