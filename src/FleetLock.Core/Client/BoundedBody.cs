namespace FleetLock;

/// <summary>Reads the beginning of an answer's body: an error's text is short, and a hostile body has no end.</summary>
internal static class BoundedBody
{
    /// <summary>The most that is read of an error's body: 64 KiB.</summary>
    internal const int MaxErrorBytes = 64 * 1024;

    /// <summary>Reads up to <see cref="MaxErrorBytes"/>. A body that breaks off gives the bytes that came.</summary>
    /// <param name="content">The body.</param>
    /// <param name="cancellationToken">A token to cancel the operation.</param>
    /// <returns>The bytes.</returns>
    internal static async Task<ReadOnlyMemory<byte>> ReadAsync(HttpContent content, CancellationToken cancellationToken)
    {
        var buffer = new byte[4096];
        var length = 0;
        try
        {
#if NET
            using var stream = await content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
#else
            using var stream = await content.ReadAsStreamAsync().ConfigureAwait(false);
#endif
            // Streams of .NET Framework do not heed the token while a read is under way; closing them ends the read.
            using var registration = cancellationToken.Register(static s => ((Stream)s!).Dispose(), stream);
            while (length < MaxErrorBytes)
            {
                if (length == buffer.Length)
                    Array.Resize(ref buffer, Math.Min(buffer.Length * 4, MaxErrorBytes));
#if NET
                var read = await stream.ReadAsync(buffer.AsMemory(length), cancellationToken).ConfigureAwait(false);
#else
                var read = await stream.ReadAsync(buffer, length, buffer.Length - length, cancellationToken).ConfigureAwait(false);
#endif
                if (read == 0)
                    break;
                length += read;
            }
        }
        catch (Exception e) when (e is IOException or HttpRequestException or ObjectDisposedException)
        {
            cancellationToken.ThrowIfCancellationRequested();
        }

        return buffer.AsMemory(0, length);
    }
}
