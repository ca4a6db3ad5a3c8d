using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Connections;

namespace FleetLock.Server;

/// <summary>
/// Reports the end of a connection after what has arrived before it. Kestrel refuses a body that arrives together with the end of its
/// connection, although the body is whole.
/// </summary>
internal sealed class DeferredEndReader(PipeReader input) : PipeReader
{
    private long _deferredAt = -1;

    /// <summary>Whether the client has ended its half of the connection, as far as the connection was read.</summary>
    internal bool HasEnded { get; private set; }

    /// <summary>Puts a reader into each connection, where requests find it as a feature.</summary>
    internal static ConnectionDelegate Use(ConnectionDelegate next) => connection =>
    {
        var reader = new DeferredEndReader(connection.Transport.Input);
        connection.Transport = new Duplex(reader, connection.Transport.Output);
        connection.Features.Set(reader);
        return next(connection);
    };

    /// <inheritdoc/>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default) =>
        Defer(await input.ReadAsync(cancellationToken));

    /// <inheritdoc/>
    public override bool TryRead(out ReadResult result)
    {
        if (!input.TryRead(out result))
            return false;
        result = Defer(result);
        return true;
    }

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed) => input.AdvanceTo(consumed);

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined) => input.AdvanceTo(consumed, examined);

    /// <inheritdoc/>
    public override void CancelPendingRead() => input.CancelPendingRead();

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null) => input.Complete(exception);

    /// <inheritdoc/>
    public override ValueTask CompleteAsync(Exception? exception = null) => input.CompleteAsync(exception);

    private ReadResult Defer(in ReadResult read)
    {
        if (!read.IsCompleted || read.IsCanceled)
            return read;
        HasEnded = true;

        // Nothing more arrives. What was of no use the last time is not complete.
        var length = read.Buffer.Length;
        if (length == 0 || length == _deferredAt)
            return read;
        _deferredAt = length;
        return new ReadResult(read.Buffer, isCanceled: false, isCompleted: false);
    }

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
