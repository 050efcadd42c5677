using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace DeRa.Server.Tests.Security;

/// <summary>Certificates that can be read, with their keys, and with which no handshake succeeds.</summary>
internal static class UnusableCertificates
{
    /// <summary>The names under which <see cref="Create"/> makes them.</summary>
    public static IReadOnlyList<string> Names { get; } = ["DSA", "RSA-512", "RSA-1024", "secp256k1"];

    /// <summary>One of them: the certificate and its key, as PEM.</summary>
    public static (string Certificate, string Key) Create(string name) => name switch
    {
        "DSA" => Dsa(),
        "RSA-512" => Rsa(512),
        "RSA-1024" => Rsa(1024),
        _ => EllipticCurve("secP256k1"),
    };

    /// <summary>A certificate whose key is too short wherever OpenSSL is set up as it is by default.</summary>
    private static (string, string) Rsa(int bits)
    {
        using var key = RSA.Create(bits);
        return (SelfSigned(new CertificateRequest("CN=unusable", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)),
            key.ExportPkcs8PrivateKeyPem());
    }

    private static (string, string) EllipticCurve(string curve)
    {
        using var key = ECDsa.Create(ECCurve.CreateFromFriendlyName(curve));
        return (SelfSigned(new CertificateRequest("CN=unusable", key, HashAlgorithmName.SHA256)), key.ExportPkcs8PrivateKeyPem());
    }

    private static string SelfSigned(CertificateRequest request)
    {
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(100));
        return certificate.ExportCertificatePem();
    }

    private static (string, string) Dsa()
    {
        using var key = DSA.Create(1024);
        var name = new X500DistinguishedName("CN=unusable");
        using var certificate = new CertificateRequest(name, new PublicKey(key), HashAlgorithmName.SHA256).Create(
            name, new DsaSignatures(key), DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(100), [1]);
        return (certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
    }

    /// <summary>.NET makes no DSA certificates of its own.</summary>
    private sealed class DsaSignatures(DSA key) : X509SignatureGenerator
    {
        /// <summary>A sequence of one object identifier: 2.16.840.1.101.3.4.3.2, DSA with SHA-256.</summary>
        public override byte[] GetSignatureAlgorithmIdentifier(HashAlgorithmName hashAlgorithm) =>
            [0x30, 0x0B, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x02];

        public override byte[] SignData(byte[] data, HashAlgorithmName hashAlgorithm) =>
            key.SignData(data, hashAlgorithm, DSASignatureFormat.Rfc3279DerSequence);

        protected override PublicKey BuildPublicKey() => new(key);
    }
}
