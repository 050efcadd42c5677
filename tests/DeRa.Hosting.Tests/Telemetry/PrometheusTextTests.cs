using DeRa.Hosting.Telemetry;
using Xunit;

namespace DeRa.Hosting.Tests.Telemetry;

public class PrometheusTextTests
{
    [Theory]
    [InlineData("vllm.num_requests_running", "", false, "vllm:num_requests_running")]
    [InlineData("vllm.prompt_tokens", "{token}", true, "vllm:prompt_tokens_total")]
    [InlineData("vllm.time_to_first_token_seconds", "s", false, "vllm:time_to_first_token_seconds")]
    [InlineData("gen_ai.server.request.duration", "s", false, "gen_ai_server_request_duration_seconds")]
    public void Names_come_out_as_they_are_read(string instrument, string unit, bool isCounter, string name) =>
        Assert.Equal(name, PrometheusText.NameOf(instrument, unit, isCounter));
}
