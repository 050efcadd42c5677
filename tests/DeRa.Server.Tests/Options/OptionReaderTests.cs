using System.ComponentModel;
using DeRa.Engine;
using DeRa.Engine.Scheduling;
using DeRa.Hosting.Options;
using DeRa.Hosting.Telemetry;
using DeRa.Server.Options;
using DeRa.Serving.Requests;
using Xunit;

namespace DeRa.Server.Tests.Options;

public sealed class OptionReaderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory().FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private ServerOptions Read(string[]? arguments = null, Dictionary<string, string>? environment = null, string? file = null)
    {
        List<string> all = ["--reference", _folder, "--aligned", _folder, .. arguments ?? []];
        if (file is not null) all.AddRange(["--config", Write(file)]);
        return OptionReader.Read(all, environment ?? []);
    }

    private string Write(string text)
    {
        var path = Path.Combine(_folder, "options.json");
        File.WriteAllText(path, text);
        return path;
    }

    private string Fault(string[]? arguments = null, Dictionary<string, string>? environment = null, string? file = null)
    {
        var message = Assert.Throws<OptionException>(() => Read(arguments, environment, file)).Message;
        Assert.DoesNotContain('\n', message);
        return message;
    }

    [Fact]
    public void Defaults_hold_where_nothing_is_given()
    {
        var options = Read();
        Assert.Equal(("127.0.0.1", 8080, 8081, "auto", "auto"),
            (options.Endpoint.Host, options.Endpoint.HttpPort, options.Endpoint.GrpcPort, options.Compute.Device, options.Compute.Dtype));
        Assert.Equal(new DirectoryInfo(_folder).Name, options.Model.ServedName);
        Assert.Equal(new DeRa.Engine.EngineOptions { ModelName = options.Model.ServedName }, options.ToEngineOptions());
        Assert.Equal(new RequestLimits(), options.ToRequestLimits());
    }

    [Fact]
    public void Each_source_is_read_and_the_nearer_one_wins()
    {
        const string file = """{"http-port": 1001, "grpc-port": "1002", "max-strength": 2.5, "name": "from-file"}""";
        var fromFile = Read(file: file);
        Assert.Equal((1001, 1002, 2.5, "from-file"),
            (fromFile.Endpoint.HttpPort, fromFile.Endpoint.GrpcPort, fromFile.Limits.MaxStrength, fromFile.Model.ServedName));
        var environment = new Dictionary<string,
            string>
        { ["DERA_HTTP_PORT"] = "2001", ["DERA_NAME"] = "from-environment", ["PATH"] = "x" };
        var fromEnvironment = Read(environment: environment, file: file);
        Assert.Equal((2001, 1002, "from-environment"),
            (fromEnvironment.Endpoint.HttpPort, fromEnvironment.Endpoint.GrpcPort, fromEnvironment.Model.ServedName));
        var fromLine = Read(["--http-port=3001"], environment, file);
        Assert.Equal((3001, 1002, "from-environment"), (fromLine.Endpoint.HttpPort, fromLine.Endpoint.GrpcPort, fromLine.Model.ServedName));
    }

    [Theory]
    [InlineData("true", true)]
    [InlineData("False", false)]
    public void A_flag_is_true_or_false_in_every_source(string text, bool expected)
    {
        Assert.Equal(expected, Read(["--strict-fields", text]).Body.StrictFields);
        Assert.Equal(expected, Read(environment: new() { ["DERA_STRICT_FIELDS"] = text }).Body.StrictFields);
        Assert.Equal(expected, Read(file: $$"""{"strict-fields": {{text.ToLowerInvariant()}}}""").Body.StrictFields);
        Assert.Contains("must be true or false", Fault(["--strict-fields=yes"]), StringComparison.Ordinal);
        Assert.Contains("must be a whole number", Fault(file: """{"http-port": true}"""), StringComparison.Ordinal);
        Assert.Contains("--strict-fields true|false", OptionReader.Help(), StringComparison.Ordinal);
    }

    [Fact]
    public void How_prompts_are_read_and_kept_comes_through_to_the_engine()
    {
        var engine = Read(["--prefix-cache", "false", "--max-step-milliseconds", "50"]).ToServedPairOptions().Engine;
        Assert.Equal((false, 50), (engine.PrefixCache, engine.MaxStepMilliseconds));
        Assert.True(Read(["--share-cache-between-keys", "true"]).Compute.ShareCacheBetweenKeys);
        Assert.False(Read().Compute.ShareCacheBetweenKeys);
    }

    [Theory]
    [InlineData("auto", Speculation.Auto)]
    [InlineData("on", Speculation.On)]
    [InlineData("OFF", Speculation.Off)]
    public void A_choice_is_one_of_its_words_in_every_source(string text, Speculation expected)
    {
        Assert.Equal(expected, Read(["--speculation", text]).ToServedPairOptions().Engine.Speculation);
        Assert.Equal(expected, Read(environment: new() { ["DERA_SPECULATION"] = text }).Engine.Speculation);
        Assert.Equal(expected, Read(file: $$"""{"speculation": "{{text}}"}""").Engine.Speculation);
        Assert.Contains("--speculation auto|on|off", OptionReader.Help(), StringComparison.Ordinal);
        Assert.Contains("Takes auto, on or off. Default: auto.", OptionReader.Help(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("info", Microsoft.Extensions.Logging.LogLevel.Information)]
    [InlineData("INFORMATION", Microsoft.Extensions.Logging.LogLevel.Information)]
    [InlineData("Trace", Microsoft.Extensions.Logging.LogLevel.Trace)]
    [InlineData("debug", Microsoft.Extensions.Logging.LogLevel.Debug)]
    [InlineData("WARN", Microsoft.Extensions.Logging.LogLevel.Warning)]
    [InlineData("warning", Microsoft.Extensions.Logging.LogLevel.Warning)]
    [InlineData("error", Microsoft.Extensions.Logging.LogLevel.Error)]
    [InlineData("fatal", Microsoft.Extensions.Logging.LogLevel.Critical)]
    [InlineData("critical", Microsoft.Extensions.Logging.LogLevel.Critical)]
    [InlineData("none", Microsoft.Extensions.Logging.LogLevel.None)]
    public void Levels_of_the_log_have_the_names_of_OpenTelemetry_and_of_NET(string text, Microsoft.Extensions.Logging.LogLevel level)
    {
        Assert.Equal(level, LogLevels.Parse(Read(["--log-level", text]).Telemetry.LogLevel));
        Assert.Equal(level, LogLevels.Parse(Read(environment: new() { ["DERA_LOG_LEVEL"] = text }).Telemetry.LogLevel));
    }

    [Fact]
    public void The_environment_alone_will_do_and_may_name_the_file()
    {
        var options = OptionReader.Read([], new Dictionary<string, string>
        {
            ["DERA_REFERENCE"] = _folder,
            ["DERA_ALIGNED"] = _folder,
            ["DERA_CONFIG"] = Write("""{"threads": 3}"""),
        });
        Assert.Equal((_folder, 3), (options.Model.Aligned[0], options.Compute.Threads));
    }

    [Fact]
    public void Several_aligned_models_may_be_named_in_each_source_and_one_source_goes_before_another()
    {
        var environment = new Dictionary<string, string> { ["DERA_REFERENCE"] = _folder, ["DERA_ALIGNED"] = $"a={_folder},b={_folder}" };
        Assert.Equal([$"a={_folder}", $"b={_folder}"], OptionReader.Read([], environment).Model.Aligned);
        Assert.Equal([$"c={_folder}", $"d={_folder}"],
            OptionReader.Read(["--aligned", $"c={_folder}", $"--aligned=d={_folder}"], environment).Model.Aligned);
        var file = Write($$"""{"reference": {{System.Text.Json.JsonSerializer.Serialize(_folder)}}, "aligned": ["e={{_folder}}", "f={{_folder}}"]}""");
        var fromFile = OptionReader.Read(["--config", file], new Dictionary<string, string>());
        Assert.Equal([$"e={_folder}", $"f={_folder}"], fromFile.Model.Aligned);
        Assert.Equal(["e", "f"], fromFile.ToServedPairOptions().Names.Aligned);
    }

    [Theory]
    [InlineData("no name", "a={0}", "{0}")]
    [InlineData("two models are named 'a'", "a={0}", "a={0}")]
    [InlineData("not be 'reference'", "reference={0}")]
    [InlineData("--aligned: there is no folder './nowhere' in ", "a=./nowhere")]
    [InlineData("neither a folder here nor a model's name on the Hub", "a=no where")]
    public void Aligned_models_without_a_name_of_their_own_or_a_folder_are_refused(string message, params string[] aligned)
    {
        string[] arguments =
            ["--reference", _folder, .. aligned.SelectMany(value => new[] { "--aligned", string.Format(null, value, _folder) })];
        Assert.Contains(message, Assert.Throws<OptionException>(
            () => OptionReader.Read(arguments, new Dictionary<string, string>())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_option_has_a_name_in_each_source_and_a_line_of_help()
    {
        Assert.Equal("DERA_HTTP_PORT", OptionReader.Table.All.Single(entry => entry.Name == "http-port").EnvironmentName);
        // Everything that can be set in a group is an option, but for what follows from others.
        string[] derived = [nameof(EngineOptions.ModelName), nameof(RequestLimits.MaxDuration), nameof(TelemetryOptions.OpenTelemetry)];
        Assert.Equal(derived, typeof(ServerOptions).GetProperties().SelectMany(group => group.PropertyType.GetProperties())
            .Where(p => p.SetMethod is not null && !p.IsDefined(typeof(DescriptionAttribute), inherit: true)).Select(p => p.Name));
        Assert.All(OptionReader.Table.All, entry => Assert.Contains($"  --{entry.Name} ", OptionReader.Help(), StringComparison.Ordinal));
        Assert.Contains("Takes a whole number from 0 to 65535. Default: 8080.", OptionReader.Help(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(new[] { "--prot", "1" }, "--prot is not an option")]
    [InlineData(new[] { "--htp-port", "1" }, "is --http-port meant?")]
    [InlineData(new[] { "--http-port", "65536" }, "--http-port is '65536' (command line); it must be a whole number from 0 to 65535.")]
    [InlineData(new[] { "--http-port", "-1" }, "from 0 to 65535")]
    [InlineData(new[] { "--http-port", "80.5" }, "a whole number")]
    [InlineData(new[] { "--http-port", "eighty" }, "--http-port is 'eighty'")]
    [InlineData(new[] { "--http-port" }, "--http-port needs a value")]
    [InlineData(new[] { "--http-port", "--grpc-port" }, "--http-port needs a value")]
    [InlineData(new[] { "--http-port=1", "--http-port=2" }, "given twice")]
    [InlineData(new[] { "--http-port=7", "--grpc-port=7" }, "must differ")]
    [InlineData(new[] { "--name=" }, "--name is '' (command line); it must be not empty")]
    [InlineData(new[] { "--max-strength", "NaN" }, "a number from 1 to 1000")]
    [InlineData(new[] { "--max-strength", "0.5" }, "a number from 1 to 1000")]
    [InlineData(new[] { "--min-strength", "0.5" }, "a number from -1000 to 0")]
    [InlineData(new[] { "--max-running", "100", "--max-batch-tokens", "50" }, "at least --max-running, 100")]
    [InlineData(new[] { "--host", "example" }, "an IP address")]
    [InlineData(new[] { "--device", "gpu" }, "--device: 'gpu' is not a device")]
    [InlineData(new[] { "--dtype", "int8" }, "--dtype: 'int8' is not a type")]
    [InlineData(new[] { "--cache-dtype", "int8" }, "--cache-dtype: 'int8' is not a type")]
    [InlineData(new[] { "--kernels", "mkl" }, "--kernels: 'mkl' is no choice of kernels")]
    [InlineData(new[] { "model" }, "'model' is not an option; options begin with --")]
    [InlineData(new[] { "--log-level", "loud" }, "--log-level is 'loud'; it must be trace, debug, info, warn, error, fatal or none.")]
    [InlineData(new[] { "--speculation", "yes" }, "--speculation is 'yes' (command line); it must be auto, on or off.")]
    [InlineData(new[] { "--speculation", "2" }, "--speculation is '2' (command line); it must be auto, on or off.")]
    [InlineData(new[] { "--speculation=" }, "--speculation is '' (command line); it must be auto, on or off.")]
    [InlineData(new[] { "--speculation", "on,off" }, "--speculation is 'on,off' (command line); it must be auto, on or off.")]
    [InlineData(new[] { "--prefix-cache", "off" }, "--prefix-cache is 'off' (command line); it must be true or false.")]
    [InlineData(new[] { "--max-step-milliseconds", "0" }, "it must be a whole number from 1 to 60000.")]
    [InlineData(new[] { "--max-step-milliseconds", "60001" }, "it must be a whole number from 1 to 60000.")]
    [InlineData(new[] { "--share-cache-between-keys" }, "--share-cache-between-keys needs a value")]
    [InlineData(new[] { "--log-requests", "never" }, "--log-requests is 'never' (command line); it must be true or false.")]
    public void A_bad_command_line_is_one_line_that_says_what_is_allowed(string[] arguments, string message) =>
        Assert.Contains(message, Fault(arguments), StringComparison.Ordinal);

    [Theory]
    [InlineData(new[] { "--port", "8000" }, "--port is not an option: here it is --http-port (see --help).")]
    [InlineData(new[] { "--port=8000" }, "--http-port")]
    [InlineData(new[] { "--model", "gpt2" }, "--reference MODEL and --aligned MODEL")]
    [InlineData(new[] { "-m", "model.gguf" }, "'-m' is not an option: --reference MODEL and --aligned MODEL name the two models")]
    [InlineData(new[] { "--max-model-len", "4096" }, "--context-length")]
    [InlineData(new[] { "--max_model_len", "4096" }, "--context-length")]
    [InlineData(new[] { "--ctx-size", "4096" }, "--context-length")]
    [InlineData(new[] { "-c", "4096" }, "--context-length")]
    [InlineData(new[] { "--torch-dtype", "float32" }, "--dtype")]
    [InlineData(new[] { "--kv-cache-dtype", "float16" }, "--cache-dtype")]
    [InlineData(new[] { "--served-model-name", "x" }, "--name")]
    [InlineData(new[] { "--alias", "x" }, "--name")]
    [InlineData(new[] { "--tensor-parallel-size", "2" }, "--device")]
    [InlineData(new[] { "--n-gpu-layers", "2" }, "--device")]
    [InlineData(new[] { "--max-num-seqs", "2" }, "--max-running")]
    [InlineData(new[] { "--max-num-batched-tokens", "2" }, "--max-batch-tokens")]
    [InlineData(new[] { "--gpu-memory-utilization", "0.9" }, "--cache-tokens")]
    [InlineData(new[] { "--enable-prefix-caching" }, "--enable-prefix-caching is not an option: here it is --prefix-cache")]
    [InlineData(new[] { "--no-enable-prefix-caching" }, "--prefix-cache")]
    [InlineData(new[] { "--disable-radix-cache" }, "--prefix-cache")]
    [InlineData(new[] { "--no-cache-prompt" }, "--prefix-cache")]
    [InlineData(new[] { "--ssl-certfile", "x" }, "--tls-certificate")]
    [InlineData(new[] { "--lora-modules", "x" }, "--aligned")]
    [InlineData(new[] { "--allowed-origins", "x" }, "--cors-origins")]
    [InlineData(new[] { "--uvicorn-log-level", "x" }, "--log-level")]
    [InlineData(new[] { "--disable-log-requests" }, "--log-requests")]
    [InlineData(new[] { "--hf-token", "x" }, "HF_TOKEN")]
    [InlineData(new[] { "--speculative-config", "{}" }, "--speculation")]
    [InlineData(new[] { "-md", "draft.gguf" }, "--speculation")]
    [InlineData(new[] { "--trust-remote-code" }, "never runs here")]
    [InlineData(new[] { "--http_port", "1" }, "is --http-port meant?")]
    [InlineData(new[] { "--log_level", "info" }, "is --log-level meant?")]
    [InlineData(new[] { "-http-port", "1" }, "'-http-port' is not an option; is --http-port meant?")]
    public void An_option_of_another_server_is_told_what_it_is_called_here(string[] arguments, string message) =>
        Assert.Contains(message, Fault(arguments), StringComparison.Ordinal);

    [Fact]
    public void Names_of_other_servers_options_lead_to_options_and_are_none_themselves()
    {
        foreach (var entry in OptionReader.Table.All) Assert.Null(ForeignOptions.Instead(entry.Name));
        var source = File.ReadAllText(Path.Combine(DeRa.Testing.SharedData.ProjectRoot, "src/DeRa.Server/Options/ForeignOptions.cs"));
        var names = System.Text.RegularExpressions.Regex.Matches(source, """Use\("(.*?)"\)|--([a-z-]+)""")
            .Select(match => match.Groups[1].Value + match.Groups[2].Value).ToList();
        Assert.True(names.Count > 20);
        Assert.All(names, name => Assert.Contains(OptionReader.Table.All, entry => entry.Name == name));
    }

    [Theory]
    [InlineData("DERA_PORT", "9000", "The environment variable DERA_PORT is not an option: here it is --http-port")]
    [InlineData("DERA_MODEL", "gpt2", "--reference MODEL and --aligned MODEL")]
    [InlineData("DERA_HTTP_PRT", "1", "DERA_HTTP_PRT is not an option; is --http-port meant?")]
    [InlineData("DERA_HTTP_PORT", "x", "environment variable DERA_HTTP_PORT")]
    [InlineData("DERA_SPECULATION", "1", "(environment variable DERA_SPECULATION); it must be auto, on or off.")]
    public void A_bad_environment_variable_is_named(string name, string value, string message) =>
        Assert.Contains(message, Fault(environment: new() { [name] = value }), StringComparison.Ordinal);

    [Theory]
    [InlineData("DERA_SERVICE_HOST")]
    [InlineData("DERA_PORT_8080_TCP_ADDR")]
    [InlineData("DERA_PORT")]
    [InlineData("DERA_GATEWAY_SERVICE_PORT_HTTP")]
    public void What_Kubernetes_sets_for_a_service_of_that_name_is_no_option(string name) =>
        Assert.Equal(8080, Read(environment: new() { [name] = "tcp://10.0.0.1:8080" }).Endpoint.HttpPort);

    [Theory]
    [InlineData("""{"http-prt": 1}""", "is --http-port meant?")]
    [InlineData("""{"http-port": true}""", "a whole number from 0 to 65535")]
    [InlineData("""{"http-port": {}}""", "a string, a number, true or false")]
    [InlineData("""{"http-port": 70000}""", "from 0 to 65535")]
    [InlineData("""{"speculation": true}""", "--speculation is 'true'")]
    [InlineData("""{"speculation": ["on"]}""", "a string, a number, true or false")]
    [InlineData("""{"http-port": 1, "http-port": 2}""", "not valid JSON")]
    [InlineData("[]", "one JSON object")]
    [InlineData("{", "not valid JSON")]
    public void A_bad_file_is_named(string file, string message)
    {
        var fault = Fault(file: file);
        Assert.Contains(message, fault, StringComparison.Ordinal);
        Assert.Contains("options.json", fault, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("org/model", "model")]
    [InlineData("org/model@refs/pr/1", "model")]
    [InlineData("helpful=org/model@v1", "model")]
    [InlineData("gpt2", "gpt2")]
    public void A_name_on_the_Hub_may_stand_for_a_folder_and_names_the_pair(string aligned, string name)
    {
        var options = OptionReader.Read(["--reference", "org/sft", "--aligned", aligned], new Dictionary<string, string>());
        Assert.Equal(name, options.Model.ServedName);
        Assert.Equal("org/sft", options.ToServedPairOptions().Models.ReferencePath);
    }

    [Fact]
    public void A_missing_file_or_folder_is_named()
    {
        Assert.Contains("nowhere.json", Fault(["--config", Path.Combine(_folder, "nowhere.json")]), StringComparison.Ordinal);
        Assert.StartsWith("--aligned: there is no folder './nowhere' in ",
            Assert.Throws<OptionException>(() =>
                OptionReader.Read(["--reference", _folder, "--aligned", "./nowhere"], new Dictionary<string, string>())).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("reference", "aligned")]
    [InlineData("aligned", "reference")]
    public void One_folder_alone_is_refused_wherever_it_was_given(string given, string missing)
    {
        Dictionary<string, string> none = [], environment = new() { ["DERA_" + given.ToUpperInvariant()] = _folder };
        string[][] lines = [["--" + given, _folder], []];
        foreach (var line in lines)
        {
            var fault = Assert.Throws<OptionException>(() => OptionReader.Read(line, line.Length > 0 ? none : environment));
            Assert.StartsWith($"--{given} is given without --{missing}; a pair needs both.", fault.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_default_pair_has_a_name_of_its_own_unless_another_is_given()
    {
        Assert.Equal("stories", new ServerOptions().Model.ServedName);
        Assert.Equal("tales", new ServerOptions { Model = new() { Name = "tales" } }.Model.ServedName);
        Assert.Contains("serves the default pair", OptionReader.Help(), StringComparison.Ordinal);
    }
}
