namespace FleetLock;

/// <summary>The servers of a client, of which one is in use: the next one's turn comes when that cannot be reached, or cannot serve.</summary>
internal sealed class ServerChoice : IDisposable
{
    private readonly Member[] _members;
    private int _current;

    /// <summary>Makes the connections' settings; nothing is sent.</summary>
    /// <param name="options">The client's options.</param>
    /// <param name="network">Another transport; <see langword="null"/> is HTTP.</param>
    internal ServerChoice(FleetLockClientOptions options, HttpMessageHandler? network)
    {
        ServerAddress[] servers = [options.Server, .. options.OtherServers];
        _members = [.. servers.Select((server, index) => new Member(index, options with { Server = server }, network))];
    }

    /// <summary>The server in use.</summary>
    internal Member Current => _members[Volatile.Read(ref _current)];

    /// <summary>How many there are.</summary>
    internal int Count => _members.Length;

    /// <summary>Gives the next one its turn, unless it has it already.</summary>
    internal void Leave(Member member) => Interlocked.CompareExchange(ref _current, (member.Index + 1) % _members.Length, member.Index);

    public void Dispose()
    {
        foreach (var member in _members)
            member.Http.Dispose();
    }

    /// <summary>One server.</summary>
    internal sealed class Member
    {
        internal Member(int index, FleetLockClientOptions options, HttpMessageHandler? network)
        {
            Index = index;
            Options = options;
            Http = network is null
                ? HttpTransport.Create(options)
                : new HttpClient(network, disposeHandler: false) { Timeout = Timeout.InfiniteTimeSpan };
        }

        internal int Index { get; }

        /// <summary>The client's options for this server.</summary>
        internal FleetLockClientOptions Options { get; }

        internal ServerAddress Server => Options.Server;

        internal HttpClient Http { get; }
    }
}
