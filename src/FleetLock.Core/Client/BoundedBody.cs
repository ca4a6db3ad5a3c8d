namespace FleetLock;

/// <summary>Reads the beginning of an answer's body: an error's text is short, and a hostile body has no end.</summary>
internal static class BoundedBody
{
    /// <summary>The most that is read of an error's body: 64 KiB.</summary>
    internal const int MaxErrorBytes = 64 * 1024;

    /// <summary>The most that may stand before the first character of a success: 4 KiB.</summary>
    private const int MaxFillerBytes = 4 * 1024;

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
            using var stream = await OpenAsync(content, cancellationToken).ConfigureAwait(false);
            using var registration = cancellationToken.Register(static s => ((Stream)s!).Dispose(), stream);
            while (length < MaxErrorBytes)
            {
                if (length == buffer.Length)
                    Array.Resize(ref buffer, Math.Min(buffer.Length * 4, MaxErrorBytes));
                var read = await ReadAsync(stream, buffer, length, cancellationToken).ConfigureAwait(false);
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

    /// <summary>Reads up to the first byte that is neither white space nor a NUL nor of a byte-order mark.</summary>
    /// <param name="content">The body.</param>
    /// <param name="cancellationToken">A token to cancel the operation.</param>
    /// <returns>The byte; <see langword="null"/> when there is none; a space when more than <see cref="MaxFillerBytes"/> stand before it.</returns>
    /// <exception cref="IOException">The body breaks off before.</exception>
    internal static async Task<byte?> ReadFirstCharacterAsync(HttpContent content, CancellationToken cancellationToken)
    {
        var buffer = new byte[512];
        try
        {
            using var stream = await OpenAsync(content, cancellationToken).ConfigureAwait(false);
            using var registration = cancellationToken.Register(static s => ((Stream)s!).Dispose(), stream);
            for (var filler = 0; filler <= MaxFillerBytes;)
            {
                var read = await ReadAsync(stream, buffer, 0, cancellationToken).ConfigureAwait(false);
                if (read == 0)
                    return null;
                var first = Array.FindIndex(buffer, 0, read, b => !IsFiller(b));
                if (first >= 0)
                    return buffer[first];
                filler += read;
            }

            return (byte)' ';
        }
        catch (ObjectDisposedException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw;
        }
    }

    private static bool IsFiller(byte b) => b is 0 or (>= 9 and <= 13) or (byte)' ' or 0xEF or 0xBB or 0xBF or 0xFE or 0xFF;

#if NET
    private static Task<Stream> OpenAsync(HttpContent content, CancellationToken cancellationToken) => content.ReadAsStreamAsync(cancellationToken);

    private static ValueTask<int> ReadAsync(Stream stream, byte[] buffer, int offset, CancellationToken cancellationToken) =>
        stream.ReadAsync(buffer.AsMemory(offset), cancellationToken);
#else
    private static Task<Stream> OpenAsync(HttpContent content, CancellationToken _) => content.ReadAsStreamAsync();

    // Streams of .NET Framework do not heed the token while a read is under way; the callers close them, which ends the read.
    private static Task<int> ReadAsync(Stream stream, byte[] buffer, int offset, CancellationToken cancellationToken) =>
        stream.ReadAsync(buffer, offset, buffer.Length - offset, cancellationToken);
#endif
}
