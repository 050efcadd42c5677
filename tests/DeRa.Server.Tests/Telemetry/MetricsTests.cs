using DeRa.Engine;
using DeRa.Engine.Scheduling;
using DeRa.Engine.Telemetry;
using DeRa.Testing;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using Xunit;

namespace DeRa.Server.Tests.Telemetry;

/// <summary>
/// Each test serves a model of its own name, and alone: meters of all servers in the process are heard together, and where one server
/// ends, OpenTelemetry drops the series of its instruments, which have the same names as the others'.
/// </summary>
[Collection(nameof(MetricsTests)), CollectionDefinition(nameof(MetricsTests), DisableParallelization = true)]
public class MetricsTests
{
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;

    private static readonly double[] FirstTokenBounds =
        [.001, .005, .01, .02, .04, .06, .08, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 640, 2560, double.PositiveInfinity];

    private static readonly double[] InterTokenBounds =
        [.01, .025, .05, .075, .1, .15, .2, .3, .4, .5, .75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, double.PositiveInfinity];

    private static readonly double[] RequestBounds =
        [.3, .5, .8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680, double.PositiveInfinity];

    [Fact]
    public async Task Routers_find_the_names_labels_and_buckets_that_they_read()
    {
        const string model = "metrics-routers";
        await using var server = await ServerFixture.StartAsync(new ScriptedExecutor(), model: model);
        await server.CompleteAsync("""{"prompt":"abc","max_tokens":5,"ignore_eos":true}""");
        await server.CompleteAsync("""{"prompt":"abc","max_tokens":3,"n":2,"ignore_eos":true,"stream":true}""");
        var scrape = await Scrape.OfAsync(server);
        (string, string)[] labels = [("model_name", model), ("engine", "0")];
        Assert.Equal(0, scrape.Value("vllm:num_requests_running", labels));
        Assert.Equal(0, scrape.Value("vllm:num_requests_waiting", labels));
        Assert.Equal(0, scrape.Value("vllm:kv_cache_usage_perc", labels));
        Assert.Equal(1, scrape.Value("vllm:cache_config_info", [.. labels, ("block_size", "8"), ("num_gpu_blocks", "512")]));
        // Each of the two choices reads the prompt of 4 tokens.
        Assert.Equal(12, scrape.Value("vllm:prompt_tokens_total", labels));
        Assert.Equal(11, scrape.Value("vllm:generation_tokens_total", labels));
        Assert.Equal(3, scrape.Value("vllm:request_success_total", [.. labels, ("finished_reason", "length")]));
        Assert.Equal(3, scrape.Value("vllm:time_to_first_token_seconds_count", labels));
        Assert.Equal(8, scrape.Value("vllm:inter_token_latency_seconds_count", labels));
        Assert.Equal(FirstTokenBounds, scrape.Bounds("vllm:time_to_first_token_seconds"));
        Assert.Equal(InterTokenBounds, scrape.Bounds("vllm:inter_token_latency_seconds"));
        foreach (var phase in (string[])["e2e_request_latency", "request_queue_time", "request_prefill_time", "request_decode_time"])
        {
            Assert.Equal(3, scrape.Value($"vllm:{phase}_seconds_count", labels));
            Assert.Equal(3, scrape.Value($"vllm:{phase}_seconds_bucket", [.. labels, ("le", "+Inf")]));
            Assert.Equal(RequestBounds, scrape.Bounds($"vllm:{phase}_seconds"));
        }
        Assert.Equal(("gauge", "counter", "histogram"), (scrape.Types["vllm:num_requests_running"],
            scrape.Types["vllm:prompt_tokens_total"], scrape.Types["vllm:time_to_first_token_seconds"]));
    }

    [Fact]
    public async Task Routers_find_every_counter_before_the_first_request_and_zeros_where_nothing_is_done()
    {
        const string model = "metrics-zeros";
        await using var server = await ServerFixture.StartAsync(new ScriptedExecutor(), model: model);
        var before = await Scrape.OfAsync(server);
        await server.CompleteAsync("""{"prompt":"abc","max_tokens":5}""");
        var after = await Scrape.OfAsync(server);
        (string, string)[] labels = [("model_name", model), ("engine", "0")];
        foreach (var name in (string[])["prompt_tokens", "generation_tokens",
            "spec_decode_num_drafts", "spec_decode_num_draft_tokens", "spec_decode_num_accepted_tokens"])
            Assert.Equal(0, before.Value($"vllm:{name}_total", labels));
        foreach (var reason in (string[])["stop", "length", "abort", "error"])
            Assert.Equal(0, before.Value("vllm:request_success_total", [.. labels, ("finished_reason", reason)]));
        // The four tokens of the prompt were looked up.
        foreach (var (name, count) in ((string, int)[])[("num_preemptions", 0), ("prefix_cache_queries", 4), ("prefix_cache_hits", 0)])
        {
            var counter = $"vllm:{name}_total";
            Assert.Equal((0, count, "counter"), (before.Value(counter, labels), after.Value(counter, labels), after.Types[counter]));
        }
    }

    [Fact]
    public async Task What_the_prefix_cache_finds_is_counted_as_responses_say()
    {
        const string model = "metrics-prefix-cache";
        await using var server = await ServerFixture.StartAsync(new ScriptedExecutor(), model: model);
        var (prompts, cached) = (0, 0);
        foreach (var prompt in (string[])["a prompt of some length", "a prompt of some length", "another one"])
        {
            var usage = (await server.CompleteAsync($$"""{"prompt":"{{prompt}}","max_tokens":5}""")).Json.GetProperty("usage");
            prompts += usage.GetProperty("prompt_tokens").GetInt32();
            cached += usage.GetProperty("prompt_tokens_details").GetProperty("cached_tokens").GetInt32();
        }
        await ServerFixture.EventuallyAsync(() => server.Engine.Status.BlocksInUse == 0);
        var scrape = await Scrape.OfAsync(server);
        Assert.True(cached >= 16);
        Assert.Equal((prompts, cached), (scrape.Value("vllm:prefix_cache_queries_total", ("model_name", model)),
            scrape.Value("vllm:prefix_cache_hits_total", ("model_name", model))));
    }

    [Fact]
    public async Task Requests_are_counted_under_the_finish_reason_that_their_clients_see()
    {
        const string model = "metrics-reasons";
        var executor = Scripts.Saying("once upon a time");
        await using var server = await ServerFixture.StartAsync(executor, model: model);
        // A stop string in the middle; one that the last token allowed completes, where the engine knows of the length only; a stream.
        foreach (
            var body in (string[])["\"stop\":\"upon\"", "\"stop\":\"e u\",\"max_tokens\":6", "\"stop\":\"a \",\"stream\":true,\"n\":2"])
        {
            var reply = await server.CompleteAsync($$"""{"prompt":"x",{{body}}}""");
            var last = reply.Status == 200 && reply.Body.StartsWith('{') ? reply.Json : reply.Events()[^1];
            Assert.Equal("stop", last.GetProperty("choices")[0].GetProperty("finish_reason").GetString());
        }
        // The end-of-sequence token, the length, a failure.
        await server.CompleteAsync("""{"prompt":"x","max_tokens":100}""");
        await server.CompleteAsync("""{"prompt":"x","max_tokens":3}""");
        executor.ReadoutError = _ => "the logits are not finite";
        await server.CompleteAsync("""{"prompt":"x"}""");
        executor.ReadoutError = null;
        // One that its client left.
        executor.BeforeStep = _ => executor.TestOver.WaitHandle.WaitOne();
        using var gone = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var leaving =
            server.Http.PostAsync("/v1/completions", new StringContent("""{"prompt":"x"}""", null, "application/json"), gone.Token);
        await ServerFixture.EventuallyAsync(() => server.Engine.Status.RunningSequences == 1);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaving);
        // The engine is held until the server knows.
        Scrape scrape;
        do scrape = await Scrape.OfAsync(server);
        while (scrape.Value("vllm:request_success_total", ("model_name", model), ("finished_reason", "abort")) == 0);
        executor.EndTest();
        foreach (var (reason, count) in ((string, int)[])[("stop", 5), ("length", 1), ("error", 1), ("abort", 1)])
            Assert.Equal((reason, count),
                (reason, scrape.Value("vllm:request_success_total", ("model_name", model), ("finished_reason", reason))));
    }

    [Fact]
    public async Task Gauges_show_what_runs_waits_and_is_held()
    {
        const string model = "metrics-gauges";
        using var hold = new SemaphoreSlim(0);
        var executor = new ScriptedExecutor();
        executor.BeforeStep = _ => hold.Wait(executor.TestOver);
        await using var server = await ServerFixture.StartAsync(
            executor, new() { MaxRunning = 2, MaxBatchTokens = 64 }, model: model);
        var running = server.CompleteAsync("""{"prompt":"abc","max_tokens":5,"n":3}""");
        await ServerFixture.EventuallyAsync(() => server.Engine.Status is { RunningSequences: 2, QueuedSequences: 1 });
        var scrape = await Scrape.OfAsync(server);
        hold.Release(1000);
        await running;
        Assert.Equal(2, scrape.Value("vllm:num_requests_running", ("model_name", model)));
        Assert.Equal(1, scrape.Value("vllm:num_requests_waiting", ("model_name", model)));
        // The two that run hold the one block of their prompt.
        Assert.Equal(1.0 / 512, scrape.Value("vllm:kv_cache_usage_perc", ("model_name", model)));
    }

    [Fact]
    public async Task Requests_are_measured_under_the_conventions_names()
    {
        const string model = "metrics-conventions";
        var (logs, executor) = (new List<MetricSnapshot>(), Scripts.Saying("hello"));
        var provider = Sdk.CreateMeterProviderBuilder().AddMeter(EngineTelemetry.Name).AddInMemoryExporter(logs).Build();
        await using (var server = await ServerFixture.StartAsync(executor, model: model))
        {
            await server.CompleteAsync("""{"prompt":"a","lambda":0.5}""");
            await server.ChatAsync("""{"messages":[{"role":"user","content":"a"}],"stream":true}""");
            await server.PostAsync("/v1/realignment/score",
                """{"items":[{"prompt":"ab","continuation":"cd"},{"prompt":"a","continuation":"b"}],"alignment_sweep":[0,1,2]}""");
            executor.ReadoutError = _ => "logits are not finite";
            await server.CompleteAsync($$"""{"prompt":"a","model":"{{model}}@0.25"}""");
        }
        provider.Dispose();
        var points = logs.SelectMany(metric => metric.MetricPoints.Select(point => (metric.Name, Point: point, Tags: Tags(point))))
            .Where(entry => entry.Tags.GetValueOrDefault("gen_ai.response.model") == model).ToList();
        IEnumerable<MetricPoint> Of(string name, string key, string? value) =>
            points.Where(p => p.Name == name && p.Tags.GetValueOrDefault(key) == value).Select(p => p.Point);

        Assert.Equal(1, Of("gen_ai.server.request.duration", "gen_ai.operation.name", "score").Sum(point => point.GetHistogramCount()));
        // Both texts whole, each with the token that begins it.
        Assert.Equal(8, Of("gen_ai.client.token.usage", "gen_ai.operation.name", "score").Sum(point => point.GetHistogramSum()));
        Assert.Equal(3, Of("gen_ai.server.request.duration", "error.type", null).Sum(point => point.GetHistogramCount()));
        Assert.Equal(1, Of("gen_ai.server.request.duration", "error.type", "GenerationFailedException")
            .Sum(point => point.GetHistogramCount()));
        Assert.Equal(1, Of("gen_ai.server.time_to_first_token", "gen_ai.operation.name", "chat").Sum(point => point.GetHistogramCount()));
        Assert.Equal(1, Of("gen_ai.server.time_per_output_token", "gen_ai.operation.name", "chat").Sum(point => point.GetHistogramCount()));
        Assert.Equal(12, Of("gen_ai.client.token.usage", "gen_ai.token.type", "output").Sum(point => point.GetHistogramSum()));
        Assert.All(points, point => Assert.Equal(model, point.Tags["gen_ai.request.model"]));
        Assert.Equal([.01, .02, .04, .08, .16, .32, .64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92, double.PositiveInfinity],
            Bounds("gen_ai.server.request.duration"));
        Assert.Equal(FirstTokenBounds.Take(16).Append(double.PositiveInfinity), Bounds("gen_ai.server.time_to_first_token"));
        Assert.Equal(InterTokenBounds.Take(13).Append(double.PositiveInfinity), Bounds("gen_ai.server.time_per_output_token"));
        Assert.Equal(Enumerable.Range(0, 14).Select(power => Math.Pow(4, power)).Append(double.PositiveInfinity),
            Bounds("gen_ai.client.token.usage"));

        double[] Bounds(string name)
        {
            var bounds = new List<double>();
            foreach (var bucket in points.First(p => p.Name == name).Point.GetHistogramBuckets()) bounds.Add(bucket.ExplicitBound);
            return [.. bounds];
        }
    }

    [Fact]
    public async Task What_the_one_model_path_saves_and_the_strengths_are_counted()
    {
        const string model = "metrics-ours";
        // Guesses that are wrong are tokens run as well.
        var engine = new EngineOptions { Speculation = Speculation.Off };
        await using var server = await ServerFixture.StartAsync(new ScriptedExecutor(), engine, model: model);
        foreach (var strength in (string[])["0", "1", "0.5", "-0.7"])
            await server.CompleteAsync($$"""{"prompt":"abc","max_tokens":5,"ignore_eos":true,"lambda":{{strength}}}""");
        await server.CompleteAsync("""{"prompt":"abc","max_tokens":0}""");
        var scrape = await Scrape.OfAsync(server);
        // A prompt of 4 tokens and 4 of the 5 generated ones go through the models.
        Assert.Equal(48, scrape.Value("dera_passes_run_total", ("model_name", model)));
        Assert.Equal(16, scrape.Value("dera_passes_saved_total", ("model_name", model)));
        Assert.Equal(20, scrape.Value("dera_step_duration_seconds_count", ("model_name", model)));
        (string, string)[] labels = [("model_name", model), ("aligned_model", "aligned")];
        Assert.Equal(4, scrape.Value("dera_request_alignment_strength_count", labels));
        Assert.Equal(1, scrape.Value("dera_request_alignment_strength_bucket", [.. labels, ("le", "-0.5")]));
        Assert.Equal(3, scrape.Value("dera_request_alignment_strength_bucket", [.. labels, ("le", "0.5")]));
        Assert.True(scrape.Value("dera_request_errors_total", ("error_type", "InvalidRequestException")) >= 1);
    }

    [Fact]
    public async Task The_distance_from_the_reference_is_a_histogram()
    {
        const string model = "metrics-divergence";
        await using var server = await ServerFixture.StartAsync(new ScriptedExecutor { ReferenceDivergence = 0.2 }, model: model);
        await server.CompleteAsync("""{"prompt":"abc","max_tokens":5,"ignore_eos":true,"lambda":0.5}""");
        var scrape = await Scrape.OfAsync(server);
        Assert.Equal(5, scrape.Value("dera_token_reference_divergence_count", ("model_name", model)));
        Assert.Equal(1, scrape.Value("dera_token_reference_divergence_sum", ("model_name", model)), 1e-9);
        Assert.Equal(0, scrape.Value("dera_token_reference_divergence_bucket", ("model_name", model), ("le", "0.1")));
        Assert.Equal(5, scrape.Value("dera_token_reference_divergence_bucket", ("model_name", model), ("le", "0.3")));
        Assert.Equal(5, scrape.Value("dera_token_reference_divergence_count", ("model_name", model), ("alignment_strength", "0-1")));
    }

    [Fact]
    public async Task Weights_of_measured_sequences_and_guesses_are_counted_by_strength()
    {
        const string model = "metrics-measures";
        await using var server = await ServerFixture.StartAsync(
            new ScriptedExecutor { Difference = 0.1 }, new() { Speculation = Speculation.On }, model: model);
        var sum = 0.0;
        foreach (var (strength, fields) in ((string, string)[])[("0.5", ",\"measures\":true"), ("2", ",\"measures\":true"), ("2", "")])
        {
            var reply = await server.CompleteAsync(
                $$"""{"prompt":"abc","max_tokens":20,"ignore_eos":true,"lambda":{{strength}}{{fields}}}""");
            if (reply.Choice().TryGetProperty("measures", out var measures)) sum += Math.Abs(measures.GetProperty("log_z").GetDouble());
        }
        var scrape = await Scrape.OfAsync(server);
        foreach (var strength in (string[])["0-1", ">1"])
        {
            Assert.Equal(1, scrape.Value(
                "dera_sequence_log_weight_count", ("model_name", model), ("alignment_strength", strength)));
            Assert.True(scrape.Value("dera_guesses_total", ("model_name", model), ("alignment_strength", strength), ("right", "true")) > 0);
        }
        Assert.Equal(sum, scrape.Value("dera_sequence_log_weight_sum", ("model_name", model)), 1e-9);
        Assert.Equal(0, scrape.Value("dera_guesses_total", ("model_name", model), ("alignment_strength", "1")));
        Assert.Equal(scrape.Value("vllm:spec_decode_num_draft_tokens_total", ("model_name", model)),
            scrape.Value("dera_guesses_total", ("model_name", model)));
        Assert.Equal(scrape.Value("vllm:spec_decode_num_accepted_tokens_total", ("model_name", model)),
            scrape.Value("dera_guesses_total", ("model_name", model), ("right", "true")));
    }

    [Fact]
    public async Task A_client_makes_no_series()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("x"), model: "metrics-series");
        foreach (var strength in (string[])["0", "0.5", "1"])
            await server.CompleteAsync($$"""{"prompt":"a","lambda":{{strength}}}""");
        await server.CompleteAsync("""{"prompt":"a","model":"nothing-of-the-kind"}""");
        await server.GetAsync("/no/such/path");
        var before = await CountAsync();
        for (var i = 0; i < 50; i++)
        {
            await server.CompleteAsync(
                $$"""{"prompt":"a{{i}}","model":"metrics-series@0.{{i}}","seed":{{i}},"user":"u{{i}}","stop":["s{{i}}"]}""");
            await server.CompleteAsync($$"""{"prompt":"a","model":"nothing-{{i}}"}""");
            await server.GetAsync($"/no/such/path/{i}");
        }
        Assert.Equal(before, await CountAsync());

        async Task<int> CountAsync()
        {
            var scrape = await Scrape.OfAsync(server);
            return scrape.Names.SelectMany(scrape.Series).Count(labels => labels.Values.Contains("metrics-series"));
        }
    }

    private static Dictionary<string, string?> Tags(MetricPoint point)
    {
        var tags = new Dictionary<string, string?>();
        foreach (var (key, value) in point.Tags) tags.Add(key, value?.ToString());
        return tags;
    }
}
