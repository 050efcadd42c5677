using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using DeRa.Gateway.Options;
using DeRa.Hosting.Options;
using DeRa.Hosting.Security;

namespace DeRa.Gateway.Replicas;

/// <summary>
/// Which certificates of replicas are trusted: those of the authorities in the file of the options, which is read again when it changes, or
/// without one those that the machine trusts. Any thread.
/// </summary>
public sealed class ReplicaTrust
{
    private const string Option = "replica-ca";

    private volatile X509Certificate2Collection? _authorities;

    /// <summary>Reads the file, where there is one.</summary>
    /// <exception cref="OptionException">It cannot be read, or holds no certificate.</exception>
    public ReplicaTrust(ReplicaOptions options)
    {
        if (options.ReplicaCa is { } path)
            File = new ReloadedFiles([new OptionFile(Option, path)], contents => _authorities = Parse(path, contents[0]));
    }

    /// <summary>The file; null = the machine's authorities are trusted.</summary>
    public ReloadedFiles? File { get; }

    /// <summary>How connections to replicas shake hands.</summary>
    public SslClientAuthenticationOptions Handshake() => File is null ? new() : new() { RemoteCertificateValidationCallback = Check };

    /// <summary>The name has been compared already; where the chain ends is looked at anew.</summary>
    private bool Check(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        var others = errors & ~SslPolicyErrors.RemoteCertificateChainErrors;
        if (certificate is null || chain is null || others != SslPolicyErrors.None)
            throw new AuthenticationException(
                $"The replica's certificate cannot be used for '{(sender as SslStream)?.TargetHostName}': {others}.");
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Clear();
        chain.ChainPolicy.CustomTrustStore.AddRange(_authorities!);
        // Nothing is fetched from where a stranger's certificate says.
        chain.ChainPolicy.DisableCertificateDownloads = true;
        if (chain.Build((X509Certificate2)certificate)) return true;
        throw new AuthenticationException($"The replica's certificate is not of an authority in --{Option}: "
            + $"{string.Join(", ", chain.ChainStatus.Select(status => status.Status))}.");
    }

    private static X509Certificate2Collection Parse(string path, byte[] content)
    {
        var authorities = new X509Certificate2Collection();
        try
        {
            authorities.ImportFromPem(Encoding.UTF8.GetString(content));
        }
        catch (CryptographicException fault)
        {
            throw Wrong(path, fault.Message.ReplaceLineEndings(" "));
        }
        return authorities.Count > 0 ? authorities : throw Wrong(path, "There is none in it.");
    }

    private static FormatException Wrong(string path, string reason) => new(
        $"{path} (--{Option}) cannot be used: {reason} It must be a PEM file of the certificates of the authorities that are trusted.");
}
