using System;
using System.Buffers;
using System.IO;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace FleetLock.Server;

/// <summary>The protocol's two operations over HTTP.</summary>
internal sealed class ProtocolEndpoint(SemaphoreGroups groups, ILogger logger)
{
    /// <summary><c>POST /v1/pre-reboot</c>.</summary>
    /// <param name="context">The exchange.</param>
    /// <returns>When the answer is written.</returns>
    internal Task PreRebootAsync(HttpContext context) => HandleAsync(context, FleetLockOperation.Lock);

    /// <summary><c>POST /v1/steady-state</c>.</summary>
    /// <param name="context">The exchange.</param>
    /// <returns>When the answer is written.</returns>
    internal Task SteadyStateAsync(HttpContext context) => HandleAsync(context, FleetLockOperation.Unlock);

    private async Task HandleAsync(HttpContext context, FleetLockOperation operation)
    {
        var refusal = await DecideAsync(context, operation).ConfigureAwait(false);
        if (refusal is null)
            context.Response.ContentLength = 0;
        else
            await refusal.WriteAsync(context.Response).ConfigureAwait(false);
    }

    /// <summary>Decides the request.</summary>
    /// <returns>The refusal; <see langword="null"/> when the operation is done, and on disk.</returns>
    private async Task<ErrorReply?> DecideAsync(HttpContext context, FleetLockOperation operation)
    {
        var header = context.Request.Headers[FleetLockProtocol.Header];
        if (header != FleetLockProtocol.HeaderValue)
            return ErrorReply.MissingHeader(header.Count == 0 ? null : header.ToString());

        var (group, id, refusal) = await ReadAsync(context.Request).ConfigureAwait(false);
        if (refusal is not null)
            return refusal;

        if (groups.Find(group, operation) is not { } coordinator)
            return ErrorReply.UnknownGroup(group);

        try
        {
            var decision = await coordinator.DecideAsync(operation, id, context.RequestAborted).ConfigureAwait(false);
            ServerLog.Decided(logger, decision.Reply, id, group, decision.Slots);
            return decision.Reply == SlotReply.Full ? ErrorReply.Full(decision.Slots) : null;
        }
        catch (SemaphoreStoreException e)
        {
            ServerLog.StoreFailed(logger, e);
            return ErrorReply.StoreUnavailable();
        }
        catch (OperationCanceledException)
        {
            // The client has gone, or the server is stopping; the request was not decided.
            return ErrorReply.ShuttingDown();
        }
    }

    private static async Task<(string Group, string Id, ErrorReply? Refusal)> ReadAsync(HttpRequest request)
    {
        try
        {
            for (; ; )
            {
                var read = await request.BodyReader.ReadAsync().ConfigureAwait(false);
                if (read.IsCompleted)
                {
                    var answer = RequestReader.TryRead(Span(read.Buffer), out var group, out var id, out var refusal)
                        ? (group, id, null)
                        : ("", "", refusal);
                    request.BodyReader.AdvanceTo(read.Buffer.End);
                    return answer;
                }

                request.BodyReader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            }
        }
        catch (IOException e)
        {
            // What follows on this connection, if anything does, is not the beginning of a request.
            request.HttpContext.Response.Headers.Connection = "close";
            return ("", "", e is BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge }
                ? ErrorReply.BodyTooLarge()
                : ErrorReply.InvalidBody(TerminalText.Clean(e.Message)));
        }
    }

    private static ReadOnlySpan<byte> Span(ReadOnlySequence<byte> buffer) => buffer.IsSingleSegment ? buffer.FirstSpan : buffer.ToArray();
}
