using System.ComponentModel;
using DeRa.Hosting.Options;

namespace DeRa.Hosting.Security;

/// <summary>The server's certificate.</summary>
public sealed record TlsOptions
{
    /// <summary>Certificate file; null = no TLS.</summary>
    [Description("Certificate for TLS on both ports, with its intermediates: PEM, then with --tls-key, or PKCS#12. Read again when it "
        + "changes."), Option(Placeholder = "FILE", DefaultText = "no TLS")]
    public string? TlsCertificate { get; init; }

    /// <summary>Key file of a PEM certificate.</summary>
    [Description("The certificate's private key, PEM."), Option(Placeholder = "FILE")]
    public string? TlsKey { get; init; }

    /// <summary>Password of the key or of the PKCS#12 file.</summary>
    [Description("Opens an encrypted --tls-key or PKCS#12 file.")]
    public Secret? TlsPassword { get; init; }

    /// <summary>Checks that nothing is given that needs a certificate without one.</summary>
    /// <exception cref="OptionException">The first thing that is wrong.</exception>
    public void Check()
    {
        if (TlsCertificate is null && TlsKey is not null)
            throw new OptionException("--tls-key is given without --tls-certificate.");
        if (TlsCertificate is null && TlsPassword is not null)
            throw new OptionException("--tls-password is given without --tls-certificate.");
    }
}
