using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using DeRa.Server.Options;

namespace DeRa.Server.Locks;

/// <summary>The certificate that the ports show, with its intermediates: from PEM files or one PKCS#12 file. Any thread.</summary>
internal sealed class ServerCertificate
{
    private readonly string _path;
    private readonly string? _keyPath;
    private readonly string? _password;
    private volatile SslServerAuthenticationOptions? _current;

    /// <summary>Reads the certificate.</summary>
    /// <param name="options">Options with <c>--tls-certificate</c>.</param>
    /// <exception cref="OptionException">A file cannot be read or holds something else.</exception>
    public ServerCertificate(ServerOptions options)
    {
        (_path, _keyPath, _password) = (options.TlsCertificate!, options.TlsKey, options.TlsPassword?.Value);
        List<OptionFile> files = [new("tls-certificate", _path)];
        if (_keyPath is not null) files.Add(new("tls-key", _keyPath));
        Files = new WatchedFiles(files, contents => _current = Show(contents));
    }

    /// <summary>The files it comes from.</summary>
    public WatchedFiles Files { get; }

    /// <summary>What a new connection is shown.</summary>
    public SslServerAuthenticationOptions Current => _current!;

    private SslServerAuthenticationOptions Show(IReadOnlyList<byte[]> contents)
    {
        var all = new X509Certificate2Collection();
        var certificate = _keyPath is null ? LoadPkcs12(contents[0], all) : LoadPem(contents[0], contents[1], all);
        return new SslServerAuthenticationOptions
        {
            // Offline: intermediates come from the file, never from the network.
            ServerCertificateContext = SslStreamCertificateContext.Create(certificate, all, offline: true),
        };
    }

    private X509Certificate2 LoadPem(byte[] certificate, byte[] key, X509Certificate2Collection all)
    {
        try
        {
            var text = Encoding.UTF8.GetString(certificate);
            all.ImportFromPem(text);
            return _password is null ? X509Certificate2.CreateFromPem(text, Encoding.UTF8.GetString(key))
                : X509Certificate2.CreateFromEncryptedPem(text, Encoding.UTF8.GetString(key), _password);
        }
        catch (Exception fault) when (fault is CryptographicException or ArgumentException)
        {
            throw new FormatException($"{_path} (--tls-certificate) and {_keyPath} (--tls-key) cannot be used together: {fault.Message} "
                + "Both must be PEM files, the key the certificate's; --tls-password opens an encrypted key.");
        }
    }

    private X509Certificate2 LoadPkcs12(byte[] content, X509Certificate2Collection all)
    {
        try
        {
            all.AddRange(X509CertificateLoader.LoadPkcs12Collection(content, _password));
            return all.FirstOrDefault(certificate => certificate.HasPrivateKey)
                ?? throw new CryptographicException("It holds no private key.");
        }
        catch (CryptographicException fault)
        {
            throw new FormatException($"{_path} (--tls-certificate) cannot be used: {fault.Message} "
                + "It must be a PKCS#12 file, opened by --tls-password, or a PEM file, which needs --tls-key.");
        }
    }
}
