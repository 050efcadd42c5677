using DeRa.Gateway.Options;
using DeRa.Gateway.Replicas;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace DeRa.Gateway.Tests.Replicas;

public class ReplicaTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly Replica _replica;

    public ReplicaTests() => _replica = new Replica(ReplicaAddress.Parse("http://a:8080+8081", "--replicas"),
        new HealthOptions { EjectAfter = 2, EjectSeconds = 5, SlowStartSeconds = 10 }, _time);

    [Fact]
    public void It_is_not_ready_until_it_says_so_and_then_comes_slowly_to_its_full_share()
    {
        Assert.False(_replica.IsAvailable);
        Assert.True(_replica.BecomeReady());
        Assert.False(_replica.BecomeReady());
        Assert.Equal(.1, _replica.ToCandidate().Share);
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(.5, _replica.ToCandidate().Share, 3);
        _time.Advance(TimeSpan.FromSeconds(60));
        Assert.Equal(1, _replica.ToCandidate().Share);
    }

    [Fact]
    public void Failures_in_a_row_eject_it_until_its_time_is_over_and_it_is_well()
    {
        _replica.BecomeReady();
        Assert.False(_replica.Fail(isUnreachable: false));
        _replica.Succeed();
        Assert.False(_replica.Fail(isUnreachable: false));
        Assert.True(_replica.Fail(isUnreachable: false));
        Assert.True(_replica.IsReady);
        Assert.False(_replica.IsAvailable);
        Assert.False(_replica.BecomeReady());
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.False(_replica.IsAvailable);
        Assert.True(_replica.BecomeReady());
        Assert.Equal(.1, _replica.ToCandidate().Share);
        Assert.True(_replica.Fail(isUnreachable: true));
    }

    [Fact]
    public void Each_new_reason_why_it_gets_nothing_is_told_once()
    {
        Assert.True(_replica.BecomeUnready("Connection refused"));
        Assert.False(_replica.BecomeUnready("Connection refused"));
        Assert.True(_replica.BecomeUnready("loading"));
        _replica.BecomeReady();
        Assert.True(_replica.BecomeUnready("loading"));
    }

    [Fact]
    public void What_was_looked_up_is_asked_for_by_its_name_and_port()
    {
        var named = ReplicaAddress.Parse("https://dera:8443+8444", "--replica-dns").At(System.Net.IPAddress.Parse("fd00::1"));
        Assert.Equal(("https://[fd00::1]:8443", "dera:8443", "dera:8444"),
            (named.Name, named.HostOf(named.Http), named.HostOf(named.Grpc!)));
        var direct = ReplicaAddress.Parse("https://dera:8443", "--replicas");
        Assert.Null(direct.HostOf(direct.Http));
    }

    [Fact]
    public void Its_load_is_what_this_gateway_has_there_and_what_it_reports_beyond()
    {
        _replica.Begin();
        _replica.Begin();
        Assert.Equal(2, _replica.ToCandidate().Load);
        _replica.Report(7);
        Assert.Equal(7, _replica.ToCandidate().Load);
        _replica.End();
        Assert.Equal(6, _replica.ToCandidate().Load);
        _replica.Report(null);
        Assert.Equal(1, _replica.ToCandidate().Load);
        _replica.Report(0);
        Assert.Equal(1, _replica.ToCandidate().Load);
        // Both of this gateway's own requests were counted there, and one has ended since.
        _replica.Report(2, inFlightBefore: 2);
        Assert.Equal(1, _replica.ToCandidate().Load);
    }

    [Fact]
    public void A_report_is_the_sum_of_what_runs_and_waits() =>
        Assert.Equal(12, ReportedLoad.Read("""
            # TYPE vllm:num_requests_running gauge
            vllm:num_requests_running{model_name="pair",engine="0"} 5
            vllm:num_requests_running{model_name="other",engine="0"} 4
            vllm:num_requests_waiting{model_name="pair"} 3
            vllm:num_requests_waiting_by_reason{model_name="pair"} 100
            """));

    [Fact]
    public void Metrics_of_others_report_nothing() => Assert.Null(ReportedLoad.Read("process_cpu_seconds_total 4\n"));

    [Theory]
    [InlineData("http://a:8080+8081", "http://a:8080/", "http://a:8081/")]
    [InlineData("http://a", "http://a/", null)]
    [InlineData("https://a:8443", "https://a:8443/", "https://a:8443/")]
    [InlineData("http://[::1]:8080+9", "http://[::1]:8080/", "http://[::1]:9/")]
    public void Addresses_are_read(string text, string http, string? grpc) =>
        Assert.Equal(new ReplicaAddress(new Uri(http), grpc is null ? null : new Uri(grpc)), ReplicaAddress.Parse(text, "--replicas"));

    [Theory]
    [InlineData("a:8080")]
    [InlineData("ftp://a")]
    [InlineData("http://a/path")]
    [InlineData("http://me@a")]
    [InlineData("http://a+0")]
    [InlineData("http://a+70000")]
    [InlineData("http://a+x")]
    public void What_is_no_address_is_refused_by_name(string text)
    {
        var wrong = Assert.Throws<FormatException>(() => ReplicaAddress.Parse(text, "--replicas"));
        Assert.StartsWith($"--replicas holds '{text}'; an address must be http://HOST:PORT", wrong.Message, StringComparison.Ordinal);
    }
}
