using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using DeRa.Hosting.Options;
using DeRa.Hosting.Programs;
using DeRa.Hosting.Security;
using DeRa.Server.Composition;
using DeRa.Server.Options;
using DeRa.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace DeRa.Server.Tests.Security;

/// <summary>Files that the server reads at its start and again later, broken in ways that nobody foresees.</summary>
public sealed class BrokenFileTests : IDisposable
{
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;
    private static readonly Dictionary<string, string> None = [];
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("\u00A0")]
    [InlineData("\f")]
    [InlineData("\v")]
    [InlineData("\u0085")]
    [InlineData("\u2028")]
    [InlineData("\u3000 \u00A0")]
    [InlineData("\uFEFF")]
    [InlineData("\u00A0# a comment")]
    public void A_line_of_any_white_space_among_keys_is_blank(string line)
    {
        var options = new ApiKeyOptions { ApiKeys = _folder.Write("keys", $"alice {SecuredServer.Hash}") };
        var keys = new ApiKeys(options);
        _folder.Write("keys", $"bob {SecuredServer.OtherHash}\n{line}\n");
        keys.File!.Refresh(NullLogger.Instance);
        Assert.Equal((null, "bob"), (keys.Find(SecuredServer.Key)?.Name, keys.Find(SecuredServer.OtherKey)?.Name));
        Assert.Equal("bob", new ApiKeys(options).Find(SecuredServer.OtherKey)?.Name);
    }

    [Theory]
    [InlineData("no such index")]
    [InlineData("two\nlines")]
    public void Whatever_goes_wrong_at_a_reload_is_logged_once_in_a_line_and_changes_nothing(string message)
    {
        var path = _folder.Write("watched", "good");
        var inUse = "";
        var watched = new ReloadedFiles([new OptionFile("option", path)], contents =>
            inUse = contents[0].Length == 4 ? "good" : throw new NotSupportedException(message));
        var logs = new LogCollector();
        _folder.Write("watched", "broken");
        watched.Refresh(logs);
        watched.Refresh(logs);
        Assert.Equal("good", inUse);
        var line = Assert.Single(logs.Lines);
        Assert.StartsWith("Reload failed; keeping the previous configuration: ", line, StringComparison.Ordinal);
        Assert.Contains(path, line, StringComparison.Ordinal);
        Assert.Contains("NotSupportedException: " + message.Split('\n')[0], line, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', line);
    }

    public static TheoryData<string> Unusable => [.. UnusableCertificates.Names];

    [Theory]
    [MemberData(nameof(Unusable))]
    public void A_certificate_with_which_no_handshake_succeeds_is_not_taken(string name)
    {
        var good = Pem(Certificate(TimeSpan.FromDays(-1), TimeSpan.FromDays(100)));
        var certificate = new ServerCertificate(good.Tls, TimeProvider.System);
        var (before, logs) = (certificate.Current, new LogCollector());
        var (bad, key) = UnusableCertificates.Create(name);
        _folder.Write("tls.crt", bad);
        _folder.Write("tls.key", key);
        certificate.Files.Refresh(logs);
        certificate.Files.Refresh(logs);
        Assert.Same(before, certificate.Current);
        var line = Assert.Single(logs.Lines);
        Assert.StartsWith("Reload failed; keeping the previous configuration: ", line, StringComparison.Ordinal);
        Assert.Contains("(--tls-certificate)", line, StringComparison.Ordinal);
        var fault = Assert.Throws<OptionException>(() => new ServerCertificate(good.Tls, TimeProvider.System)).Message;
        Assert.Contains("(--tls-certificate)", fault, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', fault);
    }

    [Fact]
    public void A_certificate_of_another_time_is_used_with_a_warning_each_time_that_changes()
    {
        var now = DateTimeOffset.UtcNow;
        var time = new FakeTimeProvider(now.AddDays(-3));
        var certificate = new ServerCertificate(Pem(Certificate(TimeSpan.FromDays(-1), TimeSpan.FromDays(100))).Tls, time);
        var logs = new LogCollector();
        string? Said(double days)
        {
            logs.Lines.Clear();
            time.SetUtcNow(now.AddDays(days));
            certificate.Files.Warn(logs);
            certificate.Files.Refresh(logs);
            return logs.Lines.IsEmpty ? null : Assert.Single(logs.Lines);
        }
        Assert.Contains("is not valid before", Said(-2), StringComparison.Ordinal);
        Assert.Null(Said(-1.5));
        Assert.Null(Said(1));
        Assert.Null(Said(92));
        Assert.Contains("renew it", Said(94), StringComparison.Ordinal);
        Assert.Null(Said(95));
        Assert.Contains("has expired", Said(101), StringComparison.Ordinal);
        Assert.Null(Said(102));
    }

    [Fact]
    public async Task An_expired_certificate_is_told_at_the_start_and_shown()
    {
        var logs = new LogCollector();
        var options = Pem(Certificate(TimeSpan.FromDays(-10), TimeSpan.FromDays(-1)));
        await using var server = await SecuredServer.StartAsync(options, logs: logs, handler: () => new SocketsHttpHandler
        {
            SslOptions = { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null },
        });
        Assert.Single(logs.Lines, line => line.Contains("has expired", StringComparison.Ordinal));
        Assert.Equal(200, (await server.GetAsync("/readyz")).Status);
    }

    [Theory]
    [InlineData("pipe")]
    [InlineData("device")]
    [InlineData("folder")]
    [InlineData("empty")]
    [InlineData("huge")]
    [InlineData("link to nothing")]
    public void What_is_no_regular_file_of_a_usual_size_is_not_even_opened(string kind)
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("pipes and devices are Linux's");
        var options = new ApiKeyOptions { ApiKeys = _folder.Write("keys", $"alice {SecuredServer.Hash}") };
        var (keys, logs) = (new ApiKeys(options), new LogCollector());
        Break(options.ApiKeys!, kind);
        keys.File!.Refresh(logs);
        Assert.NotNull(keys.Find(SecuredServer.Key));
        Assert.Contains("--api-keys", Assert.Single(logs.Lines), StringComparison.Ordinal);
        Assert.Contains("--api-keys", Assert.Throws<OptionException>(() => new ApiKeys(options)).Message, StringComparison.Ordinal);
        Assert.Contains("--config",
            Assert.Throws<OptionException>(() => OptionReader.Read(["--config", options.ApiKeys!], None)).Message,
                StringComparison.Ordinal);
    }

    private static void Break(string path, string kind)
    {
        File.Delete(path);
        switch (kind)
        {
            case "pipe":
                using (var make = Process.Start("mkfifo", [path])) make.WaitForExit();
                break;
            case "device":
                File.CreateSymbolicLink(path, "/dev/zero");
                break;
            case "folder":
                Directory.CreateDirectory(path);
                break;
            case "huge":
                using (var file = File.Create(path)) file.SetLength((16 << 20) + 1);
                break;
            case "empty":
                File.Create(path).Dispose();
                break;
            default:
                File.CreateSymbolicLink(path, path + ".nowhere");
                break;
        }
    }

    [Theory]
    [InlineData("""{"name":"\ud800"}""", "not Unicode")]
    [InlineData("""{"\ud800":"x"}""", "not Unicode")]
    [InlineData("""{"api-keys":"a\u0000b"}""", "--api-keys: ")]
    [InlineData("""{"tls-certificate":"a\u0000b"}""", "--tls-certificate: ")]
    public async Task A_file_of_options_with_odd_text_is_refused_in_a_line(string content, string message)
    {
        var errors = new StringWriter();
        var code =
            await ServerProgram.RunAsync(["--config", _folder.Write("options.json", content), "--http-port=0", "--grpc-port=0"], None,
            (_, _) => (_, _) => throw new InvalidOperationException("not reached"), TextWriter.Null, errors);
        Assert.Equal(HostedProgram.BadOption, code);
        Assert.Contains(message, Assert.Single(errors.ToString().TrimEnd().Split('\n')), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Whatever_else_goes_wrong_at_a_start_is_a_line_and_no_clean_exit()
    {
        var errors = new StringWriter();
        var code = await ServerProgram.RunAsync(["--http-port=0", "--grpc-port=0"], None,
            (_, _) => throw new NotSupportedException("of no\nuse"), TextWriter.Null, errors);
        Assert.Equal((HostedProgram.StartFailed, "The server has failed: NotSupportedException: of no use"),
            (code, errors.ToString().TrimEnd()));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_background_service_that_dies_is_logged_and_no_clean_exit(bool afterTheStart)
    {
        var logs = new LogCollector();
        var options = new ServerOptions { Time = new() { DrainSeconds = 0 }, Endpoint = new() { HttpPort = 0, GrpcPort = 0 } };
        await using var app = ServerApplication.Build(options, _ => (_, _) => Task.FromResult(ServerFixture.Pair(Scripts.Saying("x"))),
            TimeProvider.System, logging =>
            {
                logging.Services.AddSingleton<Microsoft.Extensions.Logging.ILoggerProvider>(logs);
                logging.Services.AddHostedService(services =>
                    new DyingService(services.GetRequiredService<IHostApplicationLifetime>(), afterTheStart));
            });
        Assert.Equal(ServerProgram.ServiceFailed, await ServerProgram.RunAsync(app, TextWriter.Null).WaitAsync(Stop));
        Assert.Contains(logs.Lines, line => line.Contains("the server ends", StringComparison.Ordinal)
            && line.Contains("nobody foresaw this", StringComparison.Ordinal));
    }

    private sealed class DyingService(IHostApplicationLifetime application, bool afterTheStart) : BackgroundService
    {
        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            using var registration = application.ApplicationStarted.Register(started.SetResult);
            if (afterTheStart) await started.Task;
            throw new NotSupportedException("nobody foresaw this");
        }
    }

    private static X509Certificate2 Certificate(TimeSpan begin, TimeSpan end)
    {
        using var key = RSA.Create(2048);
        return new CertificateRequest("CN=here", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            .CreateSelfSigned(DateTimeOffset.UtcNow + begin, DateTimeOffset.UtcNow + end);
    }

    private ServerOptions Pem(X509Certificate2 certificate)
    {
        using var key = certificate.GetRSAPrivateKey()!;
        return new ServerOptions
        {
            Tls = new()
            {
                TlsCertificate = _folder.Write("tls.crt", certificate.ExportCertificatePem()),
                TlsKey = _folder.Write("tls.key", key.ExportPkcs8PrivateKeyPem())
            },
        };
    }
}
