using DeRa.Hosting.Telemetry;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace DeRa.Hosting.Tests.Telemetry;

public class TextLinesTests
{
    private static string Line(string message, string category = "DeRa.Server", LogLevel level = LogLevel.Information,
        Exception? fault = null, IExternalScopeProvider? scopes = null)
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 3, 4, 5, 6, 7, TimeSpan.Zero));
        var lines = new TextLines(new Fixed(new ConsoleFormatterOptions { IncludeScopes = true }), time);
        using var writer = new StringWriter();
        lines.Write(new LogEntry<string>(level, category, default, message, fault, (text, _) => text), scopes, writer);
        return writer.ToString();
    }

    [Theory]
    [InlineData(LogLevel.Information, "DeRa.Server", "2026-03-04T05:06:07Z info  it's <here>\n")]
    [InlineData(LogLevel.Warning, "Microsoft.AspNetCore", "2026-03-04T05:06:07Z warn  Microsoft.AspNetCore: it's <here>\n")]
    [InlineData(LogLevel.Critical, "DeRa.Server", "2026-03-04T05:06:07Z fatal it's <here>\n")]
    public void A_line_has_time_level_and_message(LogLevel level, string category, string line) =>
        Assert.Equal(line, Line("it's <here>", category, level));

    [Fact]
    public void Whatever_could_end_a_line_or_turn_it_is_escaped_and_other_letters_stay() => Assert.Equal(
        @"2026-03-04T05:06:07Z info  a\u000Ab\u000Dc\u001B[2Kd\u0085e\u2028f\u202Eg é 好 😀" + "\n",
        Line("a\nb\rc\u001B[2Kd\u0085e\u2028f\u202Eg é 好 😀"));

    [Fact]
    public void A_faults_lines_are_indented()
    {
        var lines = Line("failed", fault: new InvalidOperationException("first\r\n2026-03-04T05:06:07Z info  forged\rforged")).Split('\n');
        Assert.Equal("2026-03-04T05:06:07Z info  failed", lines[0]);
        Assert.Equal(["    System.InvalidOperationException: first", "    2026-03-04T05:06:07Z info  forged", "    forged", ""],
            lines[1..]);
    }

    [Fact]
    public void The_ids_of_trace_and_span_stand_at_the_end()
    {
        var scopes = new LoggerExternalScopeProvider();
        using var ids = scopes.Push(new Dictionary<string, object?> { ["SpanId"] = "1a", ["TraceId"] = "2b", ["ParentId"] = "3c" });
        using var other = scopes.Push("RequestPath:/x\nforged");
        Assert.Equal("2026-03-04T05:06:07Z info  said SpanId=1a TraceId=2b\n", Line("said", scopes: scopes));
    }

    private sealed class Fixed(ConsoleFormatterOptions options) : IOptionsMonitor<ConsoleFormatterOptions>
    {
        public ConsoleFormatterOptions CurrentValue => options;

        public ConsoleFormatterOptions Get(string? name) => options;

        public IDisposable? OnChange(Action<ConsoleFormatterOptions, string?> listener) => null;
    }
}
