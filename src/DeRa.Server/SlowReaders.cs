using DeRa.Server.Errors;
using DeRa.Server.Options;
using Grpc.Core;

namespace DeRa.Server;

/// <summary>
/// Disconnects clients that do not read: a response waits for them with all that it holds. How fast they read does not
/// matter, only that each piece is taken in time.
/// </summary>
internal sealed class SlowReaders(ServerOptions options, TimeProvider time, ILogger<SlowReaders> log)
{
    /// <summary>Waits until a piece is sent.</summary>
    /// <exception cref="ReaderTooSlowException">It was not taken in time.</exception>
    public async Task SentAsync(Task sending, HttpContext context)
    {
        try
        {
            await sending.WaitAsync(TimeSpan.FromSeconds(options.Time.SlowReaderSeconds), time);
        }
        catch (TimeoutException)
        {
            ServerLog.SlowReader(log, context.TraceIdentifier, options.Time.SlowReaderSeconds);
            context.Abort();
            throw new ReaderTooSlowException();
        }
    }

    /// <summary>A gRPC stream each of whose messages must be taken in time.</summary>
    public IServerStreamWriter<T> WithTimeout<T>(IServerStreamWriter<T> stream, ServerCallContext context) =>
        new TimedStream<T>(this, stream, context.GetHttpContext());

    private sealed class TimedStream<T>(SlowReaders readers, IServerStreamWriter<T> stream, HttpContext context) : IServerStreamWriter<T>
    {
        public WriteOptions? WriteOptions
        {
            get => stream.WriteOptions;
            set => stream.WriteOptions = value;
        }

        public Task WriteAsync(T message) => WriteAsync(message, CancellationToken.None);

        public Task WriteAsync(T message, CancellationToken cancellationToken)
        {
            var sending = stream.WriteAsync(message, cancellationToken);
            return sending.IsCompletedSuccessfully ? sending : readers.SentAsync(sending, context);
        }
    }
}
