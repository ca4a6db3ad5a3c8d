using System.Globalization;

namespace FleetLock;

/// <summary>Sends a request, to one server after the other if need be, and makes an outcome of whatever comes of it.</summary>
/// <param name="options">Time-out and clock.</param>
/// <param name="servers">The servers.</param>
internal sealed class ServerExchange(FleetLockClientOptions options, ServerChoice servers)
{
    /// <summary>Sends it.</summary>
    /// <param name="request">The request.</param>
    /// <param name="completion">Whether the answer's body is read at once.</param>
    /// <param name="read">Makes an outcome of an answer.</param>
    /// <param name="unknown">What to say of the outcome when the caller cancels.</param>
    /// <param name="cancellationToken">The caller's.</param>
    /// <returns>The outcome, with the server that was asked last.</returns>
    /// <exception cref="OperationCanceledException">The caller cancelled.</exception>
    internal async Task<Outcome> SendAsync(
        ClientRequest request,
        HttpCompletionOption completion,
        Func<HttpResponseMessage, CancellationToken, Task<Outcome>> read,
        string unknown,
        CancellationToken cancellationToken)
    {
        var isUnknown = false;
        for (var tries = 1; ; tries++)
        {
            var member = servers.Current;
            var outcome = await SendAsync(member, request, completion, read, unknown, cancellationToken).ConfigureAwait(false);
            outcome = outcome with { Server = member.Server };
            if (CannotServe(outcome) && servers.Count > 1)
            {
                servers.Leave(member);

                // One that is slow was asked long enough: the next one's turn is at the next request.
                if (tries < servers.Count && outcome.Status != FleetLockStatus.TimedOut && (request.IsRepeatable || !outcome.OutcomeUnknown))
                {
                    isUnknown |= outcome.OutcomeUnknown;
                    continue;
                }
            }

            return isUnknown && outcome.Status is not (FleetLockStatus.Granted or FleetLockStatus.Released) ? outcome with { OutcomeUnknown = true } : outcome;
        }
    }

    /// <summary>Says that the time for an answer is over.</summary>
    /// <param name="server">The server.</param>
    /// <param name="limit">The time.</param>
    /// <param name="status">The code of an answer that had begun.</param>
    internal static string DescribeTimeout(ServerAddress server, TimeSpan limit, int? status = null)
    {
        var seconds = limit.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture);
        return status is null
            ? $"no answer from {server.Peer} within {seconds} s"
            : $"the {status} answer from {server.Peer} did not end within {seconds} s";
    }

    /// <summary>Whether an exception of the HTTP stack says that there was no answer.</summary>
    internal static bool IsTransport(Exception e) => e is HttpRequestException or IOException or OperationCanceledException or ObjectDisposedException;

    /// <summary>No answer, or a 503 of the server or of a proxy.</summary>
    private static bool CannotServe(Outcome outcome) => outcome.HttpStatus is 503 or null
        && outcome.Status is FleetLockStatus.Unreachable or FleetLockStatus.TimedOut or FleetLockStatus.Busy;

    private async Task<Outcome> SendAsync(
        ServerChoice.Member member,
        ClientRequest request,
        HttpCompletionOption completion,
        Func<HttpResponseMessage, CancellationToken, Task<Outcome>> read,
        string unknown,
        CancellationToken cancellationToken)
    {
        using var deadline = new Deadline(options.Timeout, options.Clock, cancellationToken);
        int? status = null;
        try
        {
            using var message = request.CreateFor(member.Server);
            using var response = await member.Http.SendAsync(message, completion, deadline.Token).ConfigureAwait(false);
            status = (int)response.StatusCode;
            return await read(response, deadline.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (IsTransport(e) && cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException($"The request was cancelled. {unknown}".TrimEnd(), e, cancellationToken);
        }
        catch (Exception e) when (IsTransport(e) && deadline.HasPassed)
        {
            // Of an answer that had begun with another code than 200 the code is enough to go by.
            return new Outcome(FleetLockStatus.TimedOut, ErrorKinds.ClientFailedRequest, DescribeTimeout(member.Server, options.Timeout, status))
            {
                HttpStatus = status,
                OutcomeUnknown = status is not { } begun || ResponseReader.MayHaveActed(begun),
            };
        }
        catch (Exception e) when (IsTransport(e))
        {
            return TransportFailure.Read(e, member.Server, HttpTransport.FindProxy(member.Options));
        }
    }
}
