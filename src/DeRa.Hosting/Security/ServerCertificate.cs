using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using DeRa.Hosting.Options;

namespace DeRa.Hosting.Security;

/// <summary>The certificate that the ports show, with its intermediates: from PEM files or one PKCS#12 file. Any thread.</summary>
public sealed class ServerCertificate
{
    private readonly string _path;
    private readonly string? _keyPath;
    private readonly string? _password;
    private volatile SslServerAuthenticationOptions? _current;

    /// <summary>
    /// How long before it expires a certificate is to be renewed; of a short-lived one, a quarter of its lifetime.
    /// </summary>
    private static readonly TimeSpan Renewal = TimeSpan.FromDays(7);

    /// <summary>Reads the certificate.</summary>
    /// <param name="options">Options with <c>--tls-certificate</c>.</param>
    /// <param name="time">The clock, by which a certificate is valid or not.</param>
    /// <exception cref="OptionException">A file cannot be read or holds something else, or no handshake succeeds with it.</exception>
    public ServerCertificate(TlsOptions options, TimeProvider time)
    {
        (_path, _keyPath, _password) = (options.TlsCertificate!, options.TlsKey, options.TlsPassword?.Value);
        List<OptionFile> files = [new("tls-certificate", _path)];
        if (_keyPath is not null) files.Add(new("tls-key", _keyPath));
        Files = new ReloadedFiles(files, contents => _current = Tried(contents)) { Warning = () => Validity(time.GetUtcNow()) };
    }

    /// <summary>The files it comes from.</summary>
    public ReloadedFiles Files { get; }

    /// <summary>What a new connection is shown.</summary>
    public SslServerAuthenticationOptions Current => _current!;

    /// <summary>
    /// What is wrong with the period for which it is valid; null = nothing. It is used all the same: some clients do not mind.
    /// </summary>
    private string? Validity(DateTimeOffset now)
    {
        var certificate = Current.ServerCertificateContext!.TargetCertificate;
        var (begin, end) = (new DateTimeOffset(certificate.NotBefore), new DateTimeOffset(certificate.NotAfter));
        var quarter = (end - begin) / 4;
        return now < begin ? $"{_path} (--tls-certificate) is not valid before {begin:u}; clients refuse it."
            : now >= end ? $"{_path} (--tls-certificate) has expired, at {end:u}; clients refuse it."
            : end - now < (quarter < Renewal ? quarter : Renewal) ? $"{_path} (--tls-certificate) expires at {end:u}: renew it."
            : null;
    }

    /// <summary>A certificate that looks well may still fail every handshake (a short key, a curve that no client offers).</summary>
    private SslServerAuthenticationOptions Tried(IReadOnlyList<byte[]> contents)
    {
        try
        {
            var shown = Show(contents);
            TlsHandshake.TryAsync(shown).GetAwaiter().GetResult();
            return shown;
        }
        catch (Exception fault) when (fault is not FormatException)
        {
            throw new FormatException(
                $"{_path} (--tls-certificate) cannot be used: no TLS handshake succeeds with it: {Line(fault.GetBaseException())}");
        }
    }

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
        catch (Exception fault)
        {
            throw new FormatException($"{_path} (--tls-certificate) and {_keyPath} (--tls-key) cannot be used together: {Line(fault)} "
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
        catch (Exception fault)
        {
            throw new FormatException($"{_path} (--tls-certificate) cannot be used: {Line(fault)} "
                + "It must be a PKCS#12 file, opened by --tls-password, or a PEM file, which needs --tls-key.");
        }
    }

    private static string Line(Exception fault) => fault.Message.ReplaceLineEndings(" ");
}
