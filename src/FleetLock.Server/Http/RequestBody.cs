using System.Buffers;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace FleetLock.Server;

/// <summary>Reads a request's whole body, which the server's limit keeps small.</summary>
internal static class RequestBody
{
    /// <summary>Turns the body's bytes into a value.</summary>
    /// <typeparam name="T">The value.</typeparam>
    /// <param name="span">The bytes.</param>
    /// <returns>The value.</returns>
    internal delegate T Reader<T>(ReadOnlySpan<byte> span);

    /// <summary>Reads it.</summary>
    /// <typeparam name="T">What is made of it.</typeparam>
    /// <param name="request">The request.</param>
    /// <param name="reader">Makes it.</param>
    /// <param name="logger">The server's log: who ends the connection too early gets no answer.</param>
    /// <returns>What was made of it, or the refusal of a body that is too large or ends too early.</returns>
    internal static async Task<(T? Value, ErrorReply? Refusal)> ReadAsync<T>(HttpRequest request, Reader<T> reader, ILogger logger)
    {
        try
        {
            for (; ; )
            {
                var read = await request.BodyReader.ReadAsync();
                if (read.IsCompleted)
                {
                    var value = reader(Span(read.Buffer));
                    request.BodyReader.AdvanceTo(read.Buffer.End);
                    return (value, null);
                }

                request.BodyReader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            var reason = TerminalText.Clean(e.Message);
            ServerLog.BodyUnread(logger, request.Method, request.Path, request.HttpContext.Connection.RemoteIpAddress, reason);

            // What follows on this connection, if anything does, is not the beginning of a request.
            request.HttpContext.Response.Headers.Connection = "close";
            return (default, e switch
            {
                BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } => ErrorReply.BodyTooLarge(),
                BadHttpRequestException { StatusCode: StatusCodes.Status408RequestTimeout } => ErrorReply.BodyTooSlow(),
                OperationCanceledException => ErrorReply.ShuttingDown(),
                _ => ErrorReply.InvalidBody(reason),
            });
        }
    }

    private static ReadOnlySpan<byte> Span(ReadOnlySequence<byte> buffer) => buffer.IsSingleSegment ? buffer.FirstSpan : buffer.ToArray();
}
