using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using DeRa.Hosting.Options;
using DeRa.Hosting.Security;
using DeRa.Protos.V1;
using DeRa.Server.Options;
using DeRa.Testing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace DeRa.Server.Tests.Security;

public sealed class TlsTests : IDisposable
{
    private const string Password = "opens-it";
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;
    private readonly TemporaryFolder _folder = new();
    private volatile X509Certificate2? _shown;

    public void Dispose() => _folder.Dispose();

    private static X509Certificate2 Certificate(string name)
    {
        using var key = RSA.Create(2048);
        return new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            .CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }

    private ServerOptions Pem(X509Certificate2 certificate, string? password = null)
    {
        using var key = certificate.GetRSAPrivateKey()!;
        var pem = password is null ? key.ExportPkcs8PrivateKeyPem()
            : key.ExportEncryptedPkcs8PrivateKeyPem(password,
                new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1000));
        return new ServerOptions
        {
            Tls = new()
            {
                TlsCertificate = _folder.Write("tls.crt", certificate.ExportCertificatePem()),
                TlsKey = _folder.Write("tls.key", pem),
                TlsPassword = password is null ? null : new Secret(password)
            },
        };
    }

    private ServerOptions Pkcs12(X509Certificate2 certificate, string? password) => new()
    {
        Tls = new()
        {
            TlsCertificate = _folder.Write("tls.pfx", certificate.Export(X509ContentType.Pfx, password)),
            TlsPassword = password is null ? null : new Secret(password)
        },
    };

    /// <summary>Trusts any certificate and remembers it; a connection for each request.</summary>
    private SocketsHttpHandler Handler() => new()
    {
        PooledConnectionLifetime = TimeSpan.Zero,
        SslOptions = new SslClientAuthenticationOptions
        {
            RemoteCertificateValidationCallback = (_, certificate, _, _) =>
            {
                _shown = X509CertificateLoader.LoadCertificate(certificate!.GetRawCertData());
                return _shown is not null;
            },
        },
    };

    private Task<ServerFixture> StartAsync(ServerOptions options, LogCollector? logs = null) =>
        SecuredServer.StartAsync(options, logs: logs, handler: Handler);

    [Theory]
    [InlineData("PEM")]
    [InlineData("encrypted PEM")]
    [InlineData("PKCS#12")]
    [InlineData("encrypted PKCS#12")]
    public async Task Each_form_of_certificate_gives_TLS_on_both_ports(string form)
    {
        using var certificate = Certificate("here");
        var options = form switch
        {
            "PEM" => Pem(certificate),
            "encrypted PEM" => Pem(certificate, Password),
            "PKCS#12" => Pkcs12(certificate, null),
            _ => Pkcs12(certificate, Password),
        };
        var logs = new LogCollector();
        await using var server = await StartAsync(options, logs);
        Assert.Equal("https", server.Http.BaseAddress!.Scheme);
        Assert.Equal("fine", (await server.CompleteAsync("""{"prompt":"a"}""")).Text());
        Assert.Equal(certificate.Thumbprint, _shown!.Thumbprint);
        _shown = null;
        var call = new GenerateRequest { Prompt = new Prompt { Text = "a" } };
        Assert.Equal("fine", (await server.Inference.GenerateAsync(call, cancellationToken: Stop)).Choices[0].Text);
        Assert.Equal(certificate.Thumbprint, _shown!.Thumbprint);
        Assert.All(logs.Lines, line => Assert.DoesNotContain(Password, line, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task With_TLS_both_ports_speak_both_versions(int version)
    {
        using var certificate = Certificate("here");
        await using var server = await StartAsync(Pem(certificate));
        foreach (var address in (Uri[])[server.Http.BaseAddress!, new Uri("https://" + server.Channel.Target)])
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(address, "/readyz"))
            {
                Version = new Version(version, version == 1 ? 1 : 0),
                VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            };
            using var response = await server.Http.SendAsync(request, Stop);
            Assert.Equal((HttpStatusCode.OK, version), (response.StatusCode, response.Version.Major));
        }
    }

    [Fact]
    public async Task A_changed_certificate_is_shown_to_new_connections_and_a_broken_one_is_not()
    {
        using var old = Certificate("old");
        using var renewed = Certificate("new");
        await using var server = await StartAsync(Pem(old));
        var files = server.Services.GetRequiredService<ServerCertificate>().Files;
        var logs = new LogCollector();
        async Task<string> ShownAsync()
        {
            files.Refresh(logs);
            Assert.Equal(200, (await server.GetAsync("/readyz")).Status);
            return _shown!.Subject;
        }
        Assert.Equal("CN=old", await ShownAsync());
        // Halfway: the certificate is there, its key is not yet.
        _folder.Write("tls.crt", renewed.ExportCertificatePem());
        Assert.Equal("CN=old", await ShownAsync());
        Assert.Contains("tls.key (--tls-key) cannot be used together", Assert.Single(logs.Lines), StringComparison.Ordinal);
        using var key = renewed.GetRSAPrivateKey()!;
        _folder.Write("tls.key", key.ExportPkcs8PrivateKeyPem());
        Assert.Equal("CN=new", await ShownAsync());
        _folder.Write("tls.crt", "-----BEGIN NOTHING-----");
        Assert.Equal("CN=new", await ShownAsync());
    }

    [Fact]
    public async Task The_intermediates_of_the_file_are_shown_too()
    {
        using var rootKey = RSA.Create(2048);
        var rootRequest = new CertificateRequest("CN=root", rootKey, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        rootRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var root = rootRequest.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-2), DateTimeOffset.UtcNow.AddDays(2));
        using var middleKey = RSA.Create(2048);
        var middleRequest = new CertificateRequest("CN=middle", middleKey, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        middleRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var middle = middleRequest.Create(root, DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1), [1])
            .CopyWithPrivateKey(middleKey);
        using var key = RSA.Create(2048);
        using var leaf = new CertificateRequest("CN=leaf", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            .Create(middle, DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(1), [2]);
        var options = new ServerOptions
        {
            Tls = new()
            {
                TlsCertificate = _folder.Write("tls.crt", leaf.ExportCertificatePem() + "\n" + middle.ExportCertificatePem()),
                TlsKey = _folder.Write("tls.key", key.ExportPkcs8PrivateKeyPem())
            },
        };
        string[] subjects = [];
        await using var server = await SecuredServer.StartAsync(options, handler: () => new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions
            {
                RemoteCertificateValidationCallback = (_, _, chain, _) =>
                {
                    subjects = [.. chain!.ChainElements.Concat<object>(chain.ChainPolicy.ExtraStore).Select(element =>
                        element is X509ChainElement one ? one.Certificate.Subject : ((X509Certificate2)element).Subject)];
                    return subjects.Length > 0;
                },
            },
        });
        Assert.Equal(200, (await server.GetAsync("/readyz")).Status);
        Assert.Contains("CN=leaf", subjects);
        Assert.Contains("CN=middle", subjects);
    }

    [Fact]
    public void What_is_no_certificate_is_refused_with_its_file_and_option()
    {
        using var certificate = Certificate("here");
        var good = Pem(certificate).Tls;
        string Fault(TlsOptions options) =>
            Assert.Throws<OptionException>(() => new ServerCertificate(options, TimeProvider.System)).Message;
        Assert.Contains("--tls-certificate", Fault(good with { TlsCertificate = _folder.Path + "/nowhere.crt" }), StringComparison.Ordinal);
        Assert.Contains("--tls-key", Fault(good with { TlsKey = _folder.Path + "/nowhere.key" }), StringComparison.Ordinal);
        Assert.Contains("(--tls-certificate) and", Fault(good with { TlsCertificate = _folder.Write("text", "text") }),
            StringComparison.Ordinal);
        Assert.Contains("(--tls-key)", Fault(good with { TlsKey = _folder.Write("text", "text") }), StringComparison.Ordinal);
        Assert.Contains("a PEM file, which needs --tls-key", Fault(good with { TlsKey = null }), StringComparison.Ordinal);
        Assert.Contains("--tls-password", Fault(Pem(certificate, Password).Tls with { TlsPassword = null }), StringComparison.Ordinal);
        var wrong = Fault(Pkcs12(certificate, Password).Tls with { TlsPassword = new Secret("something-else") });
        Assert.Contains("opened by --tls-password", wrong, StringComparison.Ordinal);
        Assert.DoesNotContain("something-else", wrong, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_probe_of_the_images_asks_with_TLS_and_without(bool tls)
    {
        var script = Path.Combine(AppContext.BaseDirectory, "probe.sh");
        if (!File.Exists("/bin/bash") || (tls && !File.Exists("/usr/bin/openssl"))) Assert.Skip("The probe needs bash and openssl.");
        using var certificate = Certificate("here");
        await using var server = await StartAsync(tls ? Pem(certificate) : SecuredServer.WithKeys(_folder));
        async Task<int> ProbeAsync(string path, int port)
        {
            var start =
                new ProcessStartInfo("/bin/bash", [script, path]) { Environment = { ["DERA_HTTP_PORT"] = port.ToString(null, null) } };
            start.RedirectStandardError = true;
            using var probe = Process.Start(start)!;
            await probe.WaitForExitAsync(Stop);
            return probe.ExitCode;
        }
        var port = server.Http.BaseAddress!.Port;
        Assert.Equal(0, await ProbeAsync("/readyz", port));
        Assert.NotEqual(0, await ProbeAsync("/nowhere", port));
        await server.StopAsync();
        Assert.NotEqual(0, await ProbeAsync("/readyz", port));
    }
}
