using System.IO.Pipelines;
using System.Net.Security;

namespace DeRa.Hosting.Security;

/// <summary>
/// A handshake between a server and a client of this process, in memory: whether a certificate's key is long enough, of a
/// curve that clients know and one that fits is what the TLS library alone can say, and it says so only in a handshake.
/// </summary>
internal static class TlsHandshake
{
    /// <summary>Shakes hands once, with what an ordinary client of this machine offers; the client trusts any certificate.</summary>
    /// <param name="options">The server's side.</param>
    /// <exception cref="System.Security.Authentication.AuthenticationException">It fails; other exceptions may come too.</exception>
    public static async Task TryAsync(SslServerAuthenticationOptions options)
    {
        var (up, down) = (new Pipe(), new Pipe());
        await using var server = new SslStream(new TwoWayStream(up.Reader.AsStream(), down.Writer.AsStream()));
        await using var client = new SslStream(new TwoWayStream(down.Reader.AsStream(), up.Writer.AsStream()));
        using var failed = new CancellationTokenSource();
        var accepting = server.AuthenticateAsServerAsync(options, failed.Token);
        var connecting = client.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null,
        }, failed.Token);
        // A side that has failed says nothing more, and the other would wait for it.
        if (await Task.WhenAny(accepting, connecting) is { IsCompletedSuccessfully: false }) await failed.CancelAsync();
        // Either may have failed for the other's sake alone; the server's reason says more.
        await ((Task)Task.WhenAll(accepting, connecting)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!accepting.IsCanceled) await accepting;
        await connecting;
    }

    /// <summary>One stream to read from and another to write to.</summary>
    private sealed class TwoWayStream(Stream input, Stream output) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            input.ReadAsync(buffer, cancellationToken);

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            output.WriteAsync(buffer, cancellationToken);

        public override Task FlushAsync(CancellationToken cancellationToken) => output.FlushAsync(cancellationToken);

        public override int Read(byte[] buffer, int offset, int count) => input.Read(buffer, offset, count);

        public override void Write(byte[] buffer, int offset, int count) => output.Write(buffer, offset, count);

        public override void Flush() => output.Flush();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
