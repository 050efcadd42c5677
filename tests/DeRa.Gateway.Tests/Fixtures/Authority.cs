using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using DeRa.Hosting.Security;
using DeRa.Server.Options;
using DeRa.Testing;
using DeRa.Testing.Server;

namespace DeRa.Gateway.Tests.Fixtures;

/// <summary>An authority of a cluster's own, which no machine knows, and servers with certificates of it.</summary>
internal sealed class Authority : IDisposable
{
    private static readonly DateTimeOffset s_begin = DateTimeOffset.UtcNow.AddDays(-1), s_end = DateTimeOffset.UtcNow.AddDays(1);

    private readonly TemporaryFolder _folder = new();
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 _certificate;

    public Authority()
    {
        var request = new CertificateRequest("CN=authority", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        _certificate = request.CreateSelfSigned(s_begin, s_end);
        File = _folder.Write("ca.crt", _certificate.ExportCertificatePem());
    }

    /// <summary>Its certificate, as <c>--replica-ca</c> takes it.</summary>
    public string File { get; }

    /// <summary>A server with a certificate for one name or address.</summary>
    public async Task<ServerFixture> ServeAsync(string name, params string[] allowedHosts)
    {
        var executor = TestReplica.Roomy();
        var server = await ServerFixture.StartLoadingAsync((_, _) => Task.FromResult(ServerFixture.Pair(executor)), executor,
            options: new ServerOptions { Tls = Certificate(name), Origin = new() { AllowedHosts = allowedHosts } });
        await server.PhaseChangedAsync();
        return server;
    }

    public void Dispose()
    {
        _certificate.Dispose();
        _key.Dispose();
        _folder.Dispose();
    }

    private TlsOptions Certificate(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var names = new SubjectAlternativeNameBuilder();
        if (IPAddress.TryParse(name, out var address)) names.AddIpAddress(address);
        else names.AddDnsName(name);
        var request = new CertificateRequest("CN=replica", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.Create(_certificate, s_begin, s_end, [1]);
        return new()
        {
            TlsCertificate = _folder.Write("tls.crt", certificate.ExportCertificatePem()),
            TlsKey = _folder.Write("tls.key", key.ExportPkcs8PrivateKeyPem()),
        };
    }
}
