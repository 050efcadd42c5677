using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using DeRa.Gateway.Tests.Fixtures;
using DeRa.Hosting.Security;
using DeRa.Testing;
using DeRa.Testing.Server;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace DeRa.Gateway.Tests;

/// <summary>What the gateway reads again while it runs, at its default settings.</summary>
public sealed class ReloadTests : IDisposable
{
    private const string First = "first-0123456789abcdef", Second = "second-0123456789abcdef";

    private readonly TemporaryFolder _folder = new();
    private volatile string? _shown;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Keys_and_certificates_that_change_are_in_use_without_a_restart()
    {
        await using var stub = await StubReplica.StartAsync();
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        WriteKey(First);
        WriteCertificate("old");
        var options = GatewayFixture.Options(stub.Name) with
        {
            Key = new() { ApiKeys = Path.Combine(_folder.Path, "keys") },
            Tls = new() { TlsCertificate = Path.Combine(_folder.Path, "tls.pfx") },
        };
        await using var gateway = await GatewayFixture.StartAsync(options, time: time);
        using var http = new HttpClient(Handler()) { BaseAddress = gateway.HttpAddress };
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.Unauthorized, "CN=old"), await TryAsync(http));
        WriteKey(Second);
        WriteCertificate("new");
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.Unauthorized, "CN=old"), await TryAsync(http));
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ServerFixture.Stop);
        limit.CancelAfter(TimeSpan.FromMinutes(1));
        do
        {
            limit.Token.ThrowIfCancellationRequested();
            time.Advance(FileReloading.Interval);
        }
        while (await TryAsync(http) is not (HttpStatusCode.Unauthorized, HttpStatusCode.OK, "CN=new"));
        var bearers = stub.Requests.Select(request => request.Headers["Authorization"].ToString()).Distinct();
        Assert.Equal([$"Bearer {First}", $"Bearer {Second}"], bearers);
    }

    private async Task<(HttpStatusCode First, HttpStatusCode Second, string? Shown)> TryAsync(HttpClient http) =>
        (await StatusAsync(http, First), await StatusAsync(http, Second), _shown);

    private static async Task<HttpStatusCode> StatusAsync(HttpClient http, string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/completions")
        {
            Content = new StringContent("""{"prompt":"a"}"""),
        };
        (request.Headers.Authorization, request.Content.Headers.ContentType) = (new("Bearer", key), new("application/json"));
        using var response = await http.SendAsync(request, ServerFixture.Stop);
        return response.StatusCode;
    }

    /// <summary>Trusts any certificate and remembers it; a connection for each request.</summary>
    private SocketsHttpHandler Handler() => new()
    {
        PooledConnectionLifetime = TimeSpan.Zero,
        SslOptions = new SslClientAuthenticationOptions
        {
            RemoteCertificateValidationCallback = (_, certificate, _, _) => (_shown = certificate!.Subject) is not null,
        },
    };

    private void WriteKey(string key) => _folder.Write("keys", $"client sha256${Convert.ToHexStringLower(KeyHash.Of(key))}");

    private void WriteCertificate(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        File.WriteAllBytes(Path.Combine(_folder.Path, "tls.pfx"), certificate.Export(X509ContentType.Pfx));
    }
}
