using System.Globalization;
using FleetLock.Server.EtcdApi;
using Google.Protobuf;
using Grpc.Core;

namespace FleetLock.Server;

/// <summary>The way to etcd: one member at a time, the next one when that fails, with the user's token and a time-out on each call.</summary>
internal sealed class EtcdConnection : IDisposable
{
    private const string RestoreAdvice = ", as when a snapshot is restored. Nothing is granted until 'fleetlockctl confirm-restore'";

    /// <summary>The time that a server which stops waits for etcd at most: what it leaves behind does no harm.</summary>
    private static readonly TimeSpan RemovalTimeout = TimeSpan.FromSeconds(1);

    private readonly EtcdStoreOptions _options;
    private readonly EtcdMember[] _members;
    private readonly EtcdSequence _sequence = new();
    private readonly EtcdHistory _history = new();
    private volatile EtcdMember _current;

    // The token's header; empty when etcd asks for none.
    private volatile Metadata? _token;

    // The restore that was noticed, and is not reported yet.
    private string? _restore;

    /// <summary>Reads the certificates; nothing is sent.</summary>
    /// <param name="options">Endpoints, certificates, user and time-out.</param>
    /// <exception cref="FleetLockInputException">The options contradict each other, or a certificate cannot be used.</exception>
    internal EtcdConnection(EtcdStoreOptions options)
    {
        options.Require();
        _options = options;
        CallTimeout = options.Timeout;
        _members = [.. EtcdChannels.Create(options).Select((channel, index) => new EtcdMember(index, options.Endpoints[index], channel))];
        _current = _members[0];
        if (options.User is null)
            _token = [];
    }

    /// <summary>Where etcd is, for people.</summary>
    internal string Description => _options.Description;

    /// <summary>The time that one call may take; one that is under way keeps what it began with.</summary>
    internal TimeSpan CallTimeout { get; set; }

    /// <summary>How many restores were noticed.</summary>
    internal int Restores => _sequence.Current.Restores;

    /// <summary>Reads. Every member is tried, because a read that failed has done nothing.</summary>
    /// <param name="reads">The ranges. The read is linearizable, as etcd's are unless told otherwise, and as of one moment.</param>
    /// <param name="cancellationToken">A token to cancel the operation.</param>
    /// <returns>The keys and values of each range; <see langword="null"/> when etcd went back to an earlier state, which is now marked in it.</returns>
    /// <exception cref="SemaphoreStoreException">No member answered, or etcd refused.</exception>
    internal async Task<IReadOnlyList<IList<KeyValue>>?> TryReadAsync(IEnumerable<RangeRequest> reads, CancellationToken cancellationToken)
    {
        var request = new TxnRequest { Success = { reads.Select(read => new RequestOp { RequestRange = read }) } };
        for (var tries = 1; ; tries++)
        {
            var member = _current;
            try
            {
                var response = await SendAsync(member, request, cancellationToken);
                return response?.Responses.Select(read => read.ResponseRange.Kvs).ToArray();
            }
            catch (RpcException e)
            {
                cancellationToken.ThrowIfCancellationRequested();
                Leave(member, e);
                if (IsAnswer(e) || tries == _members.Length)
                    throw Fault(member, e);
            }
        }
    }

    /// <summary>Runs a transaction, once: a member that fails may have run it. Another is tried only if the first was not even reached.</summary>
    /// <param name="request">The transaction.</param>
    /// <returns>What came of it.</returns>
    /// <exception cref="SemaphoreStoreException">
    /// No member answered, or etcd refused, or it went back to an earlier state. The transaction may have been run.
    /// </exception>
    internal async Task<TxnResponse> TxnAsync(TxnRequest request)
    {
        for (var tries = 1; ; tries++)
        {
            var member = _current;
            try
            {
                return await SendAsync(member, request, CancellationToken.None) ?? throw Restored();
            }
            catch (RpcException e)
            {
                Leave(member, e);
                if (!WasNotSent(e) || tries == _members.Length)
                    throw Fault(member, e);
            }
        }
    }

    /// <summary>Reports, once, that etcd went back to an earlier state: the watch may have noticed it, and has nobody to report it to.</summary>
    /// <returns>The error; <see langword="null"/> when there is nothing to report.</returns>
    internal SemaphoreStoreException? TakeRestore() => _restore is null ? null : Restored();

    /// <summary>The error of a restore, which is reported with it.</summary>
    internal SemaphoreStoreException Restored() => new(Interlocked.Exchange(ref _restore, null) ?? Description + " went back to an earlier state" + RestoreAdvice);

    /// <summary>Leaves a restore that was noticed unreported.</summary>
    internal void ForgetRestore() => Volatile.Write(ref _restore, null);

    /// <summary>Begins a watch on the member in use; it ends when another member's turn comes.</summary>
    /// <param name="request">What to watch.</param>
    /// <param name="handle">Takes each response; returns false to end.</param>
    /// <param name="cancellationToken">Ends the watch.</param>
    /// <returns>When the watch has ended.</returns>
    /// <exception cref="SemaphoreStoreException">It failed.</exception>
    internal async Task WatchAsync(WatchCreateRequest request, Func<WatchResponse, Task<bool>> handle, CancellationToken cancellationToken)
    {
        var (member, sent) = (_current, _sequence.Current);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, member.Left);
        try
        {
            var headers = new Metadata();
            foreach (var entry in await TokenAsync(member, either.Token))
                headers.Add(entry);

            // A member that has lost the others is to end the watch: it would keep silent.
            headers.Add("hasleader", "true");
            using var call = member.Changes.Watch(new CallOptions(headers, cancellationToken: either.Token));
            await call.RequestStream.WriteAsync(new WatchRequest { CreateRequest = request }, either.Token);
            while (await call.ResponseStream.MoveNext(either.Token))
            {
                // What others have written is known too. Of another cluster, the read at the beginning of the watch finds it.
                var response = call.ResponseStream.Current;
                _sequence.TryAdvance(sent, response.Header, EtcdHistory.Read(response.Events));
                if (!await handle(response))
                    return;
            }
        }
        catch (RpcException e)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (member.Left.IsCancellationRequested)
                return;
            Leave(member, e);
            throw Fault(member, e);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // Another member's turn has come.
        }
    }

    /// <summary>Removes the keys of processes that have ended, if there are many.</summary>
    /// <param name="keys">All keys.</param>
    /// <param name="cancellationToken">A token to cancel the operation.</param>
    internal Task RemoveOldWritersAsync(IEnumerable<KeyValue> keys, CancellationToken cancellationToken) =>
        EtcdWriters.CreateRemoval(keys, _history.Writer) is { } removal ? TryRemoveAsync(removal, cancellationToken) : Task.CompletedTask;

    /// <summary>Removes the key of this process, which writes nothing any more.</summary>
    internal async Task RemoveWriterAsync()
    {
        if (!_history.HasWritten)
            return;
        using var timeout = new CancellationTokenSource(RemovalTimeout);
        await TryRemoveAsync(
            new TxnRequest { Success = { new RequestOp { RequestDeleteRange = new DeleteRangeRequest { Key = _history.Writer } } } }, timeout.Token);
    }

    /// <summary>Asks for a new token at the next call.</summary>
    internal void ForgetToken()
    {
        if (_options.User is not null)
            _token = null;
    }

    public void Dispose()
    {
        foreach (var member in _members)
            member.Dispose();
    }

    /// <returns>The answer; <see langword="null"/> when it shows that etcd went back to an earlier state, which is now marked in it.</returns>
    private async Task<TxnResponse?> SendAsync(EtcdMember member, TxnRequest request, CancellationToken cancellationToken)
    {
        var sent = _sequence.Current;
        var counted = _history.AddTo(request, sent.State);
        var response = await CallAsync(member, (m, options) => m.Keys.TxnAsync(counted, options), cancellationToken);
        var (found, left) = EtcdHistory.TakeFrom(response);
        if (_sequence.TryAdvance(sent, response.Header, found, left))
            return response;
        await MarkRestoredAsync(member, sent, Describe(sent, response.Header, found));
        return null;
    }

    private static string Describe(EtcdSequence.Position sent, ResponseHeader header, EtcdState found)
    {
        if (header.ClusterId != sent.Cluster)
            return "another cluster";
        var revision = string.Create(CultureInfo.InvariantCulture, $"revision {header.Revision} after {sent.Revision}");
        if (found.IsAfter(sent.State))
            return revision;
        var (all, own) = (sent.State.Sequence.Version, sent.State.Written.Version);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{revision}, {found.Sequence.Version} writes of all servers after {all}, {found.Written.Version} of this server after {own}");
    }

    /// <summary>Removes keys that only take up space. What cannot be removed now is removed by a server that starts later.</summary>
    private async Task TryRemoveAsync(TxnRequest request, CancellationToken cancellationToken)
    {
        try
        {
            await CallAsync(_current, (m, options) => m.Keys.TxnAsync(request, options), cancellationToken);
        }
        catch (Exception e) when (e is RpcException or SemaphoreStoreException)
        {
            // It is tried once.
        }
    }

    /// <summary>Marks the restore in the store itself, so that no server grants until it is confirmed.</summary>
    private async Task MarkRestoredAsync(EtcdMember member, EtcdSequence.Position sent, string change)
    {
        var report = $"etcd at {EtcdStoreOptions.Show(member.Endpoint)} went back to an earlier state ({change}){RestoreAdvice}";
        var mark = new TxnRequest
        {
            Compare = { EtcdCompares.IsRestored(false) },
            Success = { new RequestOp { RequestPut = new PutRequest { Key = EtcdKeys.Restored, Value = ByteString.CopyFromUtf8(report) } } },
        };
        try
        {
            var marked = await CallAsync(member, (m, options) => m.Keys.TxnAsync(mark, options), CancellationToken.None);

            // Otherwise another answer, or another server, has found it before and reports it. Requests go on after that, so that one of them has the report.
            if (marked.Succeeded)
                Volatile.Write(ref _restore, report);
            _sequence.TryRestart(sent, marked.Header);
        }
        catch (RpcException e)
        {
            // Not passed on as it is: the transaction itself was run, and must not be sent again. The next answer is behind too.
            throw new SemaphoreStoreException(report + ". This cannot be marked in it: " + Fault(member, e).Message, e);
        }
    }

    private async Task<T> CallAsync<T>(EtcdMember member, Func<EtcdMember, CallOptions, AsyncUnaryCall<T>> begin, CancellationToken cancellationToken)
    {
        for (var isSecond = false; ; isSecond = true)
        {
            try
            {
                var token = _token ?? await TokenAsync(member, cancellationToken);
                using var call = begin(member, Options(token, cancellationToken));
                return await call.ResponseAsync;
            }
            catch (RpcException e) when (!isSecond && IsTokenRefused(e))
            {
                // It has expired, or etcd was restarted and forgot it. Nothing was done.
                ForgetToken();
            }
            catch (ObjectDisposedException e)
            {
                throw new SemaphoreStoreException(Description + " is closed", e);
            }
        }
    }

    private async Task<Metadata> TokenAsync(EtcdMember member, CancellationToken cancellationToken)
    {
        if (_token is { } known)
            return known;
        try
        {
            using var call = member.Users.AuthenticateAsync(new AuthenticateRequest { Name = _options.User, Password = _options.Password }, Options([], cancellationToken));
            return _token = new Metadata { { "token", (await call.ResponseAsync).Token } };
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.FailedPrecondition)
        {
            // Authentication is not enabled, and then etcd does not take tokens either.
            return _token = [];
        }
    }

    private CallOptions Options(Metadata headers, CancellationToken cancellationToken) => new(headers, DateTime.UtcNow + CallTimeout, cancellationToken);

    /// <summary>Lets the next member have its turn, unless etcd itself has answered.</summary>
    private void Leave(EtcdMember member, RpcException e)
    {
        if (_members.Length == 1 || IsAnswer(e))
            return;
        var next = _members[(member.Index + 1) % _members.Length];
        next.Return();
        if (Interlocked.CompareExchange(ref _current, next, member) == member)
            member.Leave();
    }

    /// <summary>Whether the member works, and another would say the same.</summary>
    private static bool IsAnswer(RpcException e) => e.StatusCode is StatusCode.InvalidArgument or StatusCode.FailedPrecondition
        or StatusCode.OutOfRange or StatusCode.NotFound or StatusCode.PermissionDenied or StatusCode.Unauthenticated;

    private static bool IsTokenRefused(RpcException e) => e.StatusCode == StatusCode.Unauthenticated
        || (e.StatusCode == StatusCode.InvalidArgument && e.Status.Detail is "etcdserver: user name is empty" or "etcdserver: revision of auth store is old");

    private static bool WasNotSent(RpcException e) => e.Status.DebugException is HttpRequestException
    {
        HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError,
    };

    private SemaphoreStoreException Fault(EtcdMember member, RpcException e) =>
        new($"etcd at {EtcdStoreOptions.Show(member.Endpoint)} {Reason(e)}", e);

    private string Reason(RpcException e)
    {
        if (e.StatusCode == StatusCode.DeadlineExceeded)
            return $"has not answered within {CallTimeout.TotalSeconds} s";
        var cause = e.Status.DebugException;
        while (cause?.InnerException is { } inner)
            cause = inner;
        var reason = TerminalText.Clean(cause?.Message ?? e.Status.Detail).TrimEnd('.');
        return IsAnswer(e) ? $"refuses: {reason}" : $"failed: {reason}";
    }
}
