using System.Text.Json;
using DeRa.Hosting.Options;
using DeRa.Hosting.Programs;
using DeRa.Hosting.Security;
using DeRa.Server.Composition;
using DeRa.Server.Options;
using DeRa.Testing;
using Xunit;

namespace DeRa.Server.Tests.Security;

public sealed class SecurityOptionTests : IDisposable
{
    private const string Hash = SecuredServer.Hash;
    private static readonly Dictionary<string, string> None = [];
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static string Fault(Action action) => Assert.Throws<OptionException>(action).Message;

    [Theory]
    [InlineData("", "is empty")]
    [InlineData("\n", "holds no key")]
    [InlineData("# nobody\n\n", "holds no key")]
    [InlineData("alice", "line 1: no hash")]
    [InlineData("\n# x\nalice sha256$12", "line 3: no hash")]
    [InlineData("alice " + SecuredServer.Key, "line 1: no hash")]
    [InlineData("alice md5$00112233445566778899aabbccddeeff", "line 1: no hash")]
    [InlineData("alice " + Hash + "0", "line 1: no hash")]
    [InlineData("al:ice " + Hash, "line 1: the name must be")]
    [InlineData(Hash, "line 1: the name must be")]
    [InlineData("alice " + Hash + "\nalice " + SecuredServer.OtherHash, "line 2: the name 'alice' is there already")]
    [InlineData("alice " + Hash + "\nbob " + Hash, "line 2: 'bob' has the same key as 'alice'")]
    [InlineData("alice " + Hash + " rate=0/min", "line 1: after the hash may come rate=N/min")]
    [InlineData("alice " + Hash + " rate=60", "line 1: after the hash")]
    [InlineData("alice " + Hash + " rate=/min", "line 1: after the hash")]
    [InlineData("alice " + Hash + " concurrent=1000001", "N from 1 to 1000000")]
    [InlineData("alice " + Hash + " concurrent=1 concurrent=2", "each once")]
    [InlineData("alice " + Hash + " concurrent=-1", "line 1: after the hash")]
    [InlineData("alice " + Hash + " # mine", "line 1: after the hash")]
    public void A_malformed_file_of_keys_is_refused_with_its_line_and_without_its_content(string content, string message)
    {
        var path = _folder.Write("keys", content);
        var fault = Fault(() => _ = new ApiKeys(new ApiKeyOptions { ApiKeys = path }));
        Assert.Contains(message, fault, StringComparison.Ordinal);
        Assert.StartsWith($"{path} (--api-keys)", fault, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', fault);
        Assert.DoesNotContain(SecuredServer.Key, fault, StringComparison.Ordinal);
        Assert.DoesNotContain(Hash[10..], fault, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_of_keys_may_have_comments_limits_and_the_ends_of_line_of_any_system()
    {
        var path = _folder.Write("keys", $"\uFEFF# people\r\n\r\n  alice\t{Hash} rate=1000000/min concurrent=1  \r\nb-o_b.2 {SecuredServer.OtherHash.ToUpperInvariant().Replace("SHA", "sha", StringComparison.Ordinal)} concurrent=4\r\n");
        var keys = new ApiKeys(new ApiKeyOptions { ApiKeys = path });
        Assert.Equal(("alice", 1_000_000, 1),
            (keys.Find(SecuredServer.Key)!.Name, keys.Find(SecuredServer.Key)!.RequestsPerMinute,
            keys.Find(SecuredServer.Key)!.ConcurrentRequests));
        Assert.Equal(("b-o_b.2", null, 4),
            (keys.Find(SecuredServer.OtherKey)!.Name, keys.Find(SecuredServer.OtherKey)!.RequestsPerMinute,
            keys.Find(SecuredServer.OtherKey)!.ConcurrentRequests));
        Assert.Null(keys.Find("") ?? keys.Find("alice") ?? keys.Find(Hash));
    }

    [Fact]
    public void A_missing_file_is_named_with_its_option() =>
        Assert.Matches("^--api-keys: .*nowhere", Fault(() => _ = new ApiKeys(new ApiKeyOptions { ApiKeys = _folder.Path + "/nowhere" })));

    [Fact]
    public async Task The_program_ends_with_2_and_a_line_where_a_file_of_the_locks_is_bad()
    {
        string[][] bad =
            [["--api-keys", _folder.Write("keys", "alice")],
            ["--tls-certificate", _folder.Write("tls.crt", "x"), "--tls-key", "nowhere.key"]];
        foreach (var arguments in bad)
        {
            var errors = new StringWriter();
            var code = await ServerProgram.RunAsync([.. arguments, "--http-port", "0", "--grpc-port", "0"], None,
                (_, _) => (_, _) => throw new InvalidOperationException("not reached"), TextWriter.Null, errors);
            Assert.Equal(HostedProgram.BadOption, code);
            Assert.Contains(arguments[^2], Assert.Single(errors.ToString().TrimEnd().Split('\n')), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_name_of_the_option_s_key_is_taken()
    {
        var path = _folder.Write("keys", $"default {Hash}");
        Assert.Contains("'default' is that of the key in --api-key",
            Fault(() => _ = new ApiKeys(new ApiKeyOptions { ApiKeys = path, ApiKey = new Secret("a-key-of-16-chars") })),
                StringComparison.Ordinal);
        Assert.True(new ApiKeys(new ApiKeyOptions { ApiKeys = path }).AreRequired);
    }

    [Theory]
    [InlineData("fifteen-letters")]
    [InlineData("a key with spaces in it")]
    [InlineData("schlüssel-mit-umlaut")]
    public void A_weak_key_is_refused_and_not_repeated(string key)
    {
        var fault = Fault(() => _ = new ApiKeys(new ApiKeyOptions { ApiKey = new Secret(key) }));
        Assert.Contains("--api-key must have at least 16", fault, StringComparison.Ordinal);
        Assert.DoesNotContain(key, fault, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--api-key", "DERA_API_KEY")]
    [InlineData("--tls-password", "DERA_TLS_PASSWORD")]
    public void A_secret_is_not_taken_from_the_command_line(string option, string environment)
    {
        foreach (var arguments in (string[][])[[option, "my-long-secret-value"], [option + "=my-long-secret-value"]])
        {
            var fault = Fault(() => OptionReader.Read(arguments, None));
            Assert.Contains(environment, fault, StringComparison.Ordinal);
            Assert.DoesNotContain("my-long-secret-value", fault, StringComparison.Ordinal);
        }
        Assert.Contains($"Never on the command line: {environment} or the configuration file.", OptionReader.Help(),
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_secret_comes_from_the_environment_or_the_file_and_is_never_printed()
    {
        const string secret = "my-long-secret-value";
        var file = _folder.Write("options.json", JsonSerializer.Serialize(new Dictionary<string, string> { ["api-key"] = secret }));
        var fromFile = OptionReader.Read(["--config", file], None);
        var fromEnvironment = OptionReader.Read([], new Dictionary<string, string> { ["DERA_API_KEY"] = secret });
        foreach (var options in (ServerOptions[])[fromFile, fromEnvironment])
        {
            Assert.Equal(secret, options.Key.ApiKey!.Value);
            Assert.DoesNotContain(secret, options.ToString(), StringComparison.Ordinal);
            Assert.DoesNotContain(secret, options.Key.ApiKey.ToString(), StringComparison.Ordinal);
        }
        Assert.Contains("must be not empty",
            Fault(() => OptionReader.Read([], new Dictionary<string, string> { ["DERA_API_KEY"] = "" })), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"tls-password\": nosecretvalue}", "is not valid JSON at line 1, byte")]
    [InlineData("{\n\"api-key\": tsecretvalue-secretvalue}", "is not valid JSON at line 2, byte")]
    [InlineData("{\"api-key\": \"secretvalue-secretvalue}", "line 1")]
    [InlineData("{\"api-key\": \"secretvalue-secretvalue\", \"api-key\": \"secretvalue-secretvalue\"}", "may stand in it once")]
    [InlineData("{\"api-key\": [\"secretvalue-secretvalue\"]}", "'api-key' must be a string")]
    [InlineData("{\"api-kye\": \"secretvalue-secretvalue\"}", "'api-kye' is not an option")]
    [InlineData("{\"api-key\": \"secretvalue\"}", "--api-key must have at least 16")]
    public void A_broken_file_of_options_is_refused_without_the_secrets_in_it(string content, string message)
    {
        var file = _folder.Write("broken.json", content);
        var fault = Fault(() => _ = new ApiKeys(OptionReader.Read(["--config", file], None).Key));
        Assert.Contains(message, fault, StringComparison.Ordinal);
        Assert.DoesNotContain("secretvalue", fault, StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_in_the_place_of_its_file_is_not_repeated()
    {
        var fault = Fault(() => _ = new ApiKeys(new ApiKeyOptions { ApiKeys = SecuredServer.Key }));
        Assert.Contains("DERA_API_KEY", fault, StringComparison.Ordinal);
        Assert.DoesNotContain(SecuredServer.Key, fault, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(new[] { "--tls-key", "k" }, "--tls-key is given without --tls-certificate")]
    [InlineData(new[] { "--cors-origins", "chat.example.com" }, "--cors-origins holds 'chat.example.com'")]
    [InlineData(new[] { "--cors-origins", "https://chat.example.com/" }, "without path")]
    [InlineData(new[] { "--cors-origins", "https://Chat.example.com" }, "in lower case")]
    [InlineData(new[] { "--cors-origins", "ftp://chat.example.com" }, "it must be an origin")]
    [InlineData(new[] { "--cors-origins", "*", "--cors-origins", "https://a.example.com" }, "or * alone")]
    [InlineData(new[] { "--allowed-hosts", "api.example.com:80" }, "without port")]
    [InlineData(new[] { "--allowed-hosts", "https://api.example.com" }, "--allowed-hosts holds")]
    [InlineData(new[] { "--allowed-hosts", "::1" }, "[::1]")]
    [InlineData(new[] { "--max-requests-per-minute", "0" }, "from 1 to 1000000")]
    [InlineData(new[] { "--max-concurrent-requests", "1000001" }, "from 1 to 1000000")]
    public void A_bad_option_is_one_line_that_says_what_is_allowed(string[] arguments, string message)
    {
        var fault = Fault(() => OptionReader.Read(arguments, None));
        Assert.Contains(message, fault, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', fault);
    }

    [Fact]
    public void Good_origins_and_hosts_are_taken()
    {
        var options = OptionReader.Read([], new Dictionary<string, string>
        {
            ["DERA_CORS_ORIGINS"] = "https://chat.example.com,http://localhost:3000",
            ["DERA_ALLOWED_HOSTS"] = "api.example.com,*.example.com,10.0.0.1,[::1],*",
        });
        Assert.Equal((2, 5), (options.Origin.CorsOrigins.Count, options.Origin.AllowedHosts.Count));
    }
}
