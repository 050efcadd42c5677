using DeRa.Gateway.Errors;

namespace DeRa.Gateway.Forwarding;

/// <summary>
/// A request's body that can be sent again: what has been read of it is kept until the response begins. Of a stream that goes on meanwhile
/// (gRPC's) no more than the limit is kept; beyond that it is sent once only. One reader at a time.
/// </summary>
/// <param name="body">The body as it arrives.</param>
/// <param name="most">Bytes that are kept at most.</param>
/// <param name="budget">What all bodies together may take.</param>
internal sealed class ReplayedBody(Stream body, int most, BodyBudget budget) : ForwardStream
{
    private const int PieceBytes = 16 << 10;

    private readonly byte[] _piece = new byte[PieceBytes];
    private readonly MemoryStream _kept = new();
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _end = new();
    private Task<int>? _pending;
    private IdleLimit? _idle;
    private long _counted;
    private int _position;
    private bool _hasEnded;
    private bool _isReleased;

    /// <summary>Whether it can be sent again.</summary>
    public bool MayReplay
    {
        get { lock (_gate) return !_isReleased; }
    }

    /// <summary>Why no more of it could be kept; null = all could.</summary>
    public GatewayError? Refusal { get; private set; }

    /// <summary>What has been read so far.</summary>
    public ReadOnlyMemory<byte> Kept => _kept.GetBuffer().AsMemory(0, (int)_kept.Length);

    /// <summary>Reads until so many bytes are kept. False = it ended before.</summary>
    /// <exception cref="GatewayException">It is longer than the limit, or there is no room for it.</exception>
    public async Task<bool> FillAsync(long bytes, CancellationToken cancellation)
    {
        while (!_hasEnded && _kept.Length < bytes)
        {
            await PullAsync(cancellation);
            if (_kept.Length > most) throw new GatewayException(GatewayError.TooLarge(most));
        }
        return _kept.Length >= bytes;
    }

    /// <summary>Begins it anew, for another try.</summary>
    /// <param name="idle">Learns of what comes of it meanwhile.</param>
    public void Rewind(IdleLimit idle) => (_position, _idle) = (0, idle);

    /// <summary>The response has begun: it will not be sent again, and what was sent is dropped.</summary>
    public void Release()
    {
        lock (_gate)
        {
            _isReleased = true;
            if (_position == _kept.Length) Drop();
        }
    }

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            if (Take(buffer.Span) is var taken && (taken > 0 || _hasEnded || buffer.Length == 0)) return taken;
            await PullAsync(cancellationToken);
        }
    }

    /// <summary>
    /// Ends it, and waits for a read that is still under way: the connection's next request is read from the same pipe, and would find it
    /// busy.
    /// </summary>
    public override async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        if (_pending is not null) await ((Task)_pending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _end.Dispose();
        budget.Free(_counted);
        _counted = 0;
        await base.DisposeAsync();
    }

    private int Take(Span<byte> buffer)
    {
        lock (_gate)
        {
            var taken = (int)Math.Min(buffer.Length, _kept.Length - _position);
            _kept.GetBuffer().AsSpan(_position, taken).CopyTo(buffer);
            _position += taken;
            if (_isReleased && _position == _kept.Length) Drop();
            return taken;
        }
    }

    /// <summary>A try that is given up leaves its read behind, and the next one waits for the same: nothing of the body is lost.</summary>
    private async Task PullAsync(CancellationToken cancellation)
    {
        _pending ??= body.ReadAsync(_piece, _end.Token).AsTask();
        var read = await _pending.WaitAsync(cancellation);
        _pending = null;
        _idle?.Touch();
        if (read == 0)
        {
            _hasEnded = true;
            return;
        }
        var counted = MayReplay ? Counted(read) : 0;
        lock (_gate)
        {
            _counted += counted;
            _kept.Position = _kept.Length;
            _kept.Write(_piece, 0, read);
            if (_position > 0 && _kept.Length > most) _isReleased = true;
        }
    }

    /// <summary>What will not be sent again is passed on at once and takes no room.</summary>
    private int Counted(int bytes)
    {
        try
        {
            budget.Keep(bytes);
            return bytes;
        }
        catch (GatewayException full)
        {
            Refusal = full.Error;
            throw;
        }
    }

    private void Drop()
    {
        _kept.SetLength(0);
        _position = 0;
        budget.Free(_counted);
        _counted = 0;
    }
}
