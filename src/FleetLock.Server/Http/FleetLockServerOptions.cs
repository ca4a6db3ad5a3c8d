using Microsoft.Extensions.Logging;

namespace FleetLock.Server;

/// <summary>What a <see cref="FleetLockServer"/> is made from.</summary>
public sealed record FleetLockServerOptions
{
    /// <summary>The most slots that a group can have.</summary>
    public const int MaxSlots = 100_000;

    /// <summary>The address of <see cref="DefaultListen"/>, as text.</summary>
    public const string DefaultListenAddress = "http://127.0.0.1:3333";

    /// <summary>Where the server listens unless told otherwise: on loopback only.</summary>
    public static readonly Uri DefaultListen = new(DefaultListenAddress);

    /// <summary>The default of <see cref="MaxWait"/>: one hour.</summary>
    public static readonly TimeSpan DefaultMaxWait = TimeSpan.FromHours(1);

    /// <summary>The groups and their slots, from 0 (nobody is granted) to <see cref="MaxSlots"/>.</summary>
    public required IReadOnlyDictionary<string, int> Groups { get; init; }

    /// <summary>Where the semaphores are kept. The server opens it, and disposes of it when it stops.</summary>
    public required ISemaphoreStore Store { get; init; }

    /// <summary>Where to listen: <c>http://ADDRESS:PORT</c>, or <c>https://ADDRESS:PORT</c> with <see cref="Tls"/>; port 0 takes a free one.</summary>
    public Uri Listen { get; init; } = DefaultListen;

    /// <summary>Where to listen beside <see cref="Listen"/>.</summary>
    public IReadOnlyList<Uri> ListenAlso { get; init; } = [];

    /// <summary>The certificate for <c>https</c>, and what is asked of the clients'.</summary>
    public TlsOptions? Tls { get; init; }

    /// <summary>Who may do what. With none, everyone may lock, unlock and see, and only this machine may administer.</summary>
    public IReadOnlyList<Credential> Credentials { get; init; } = [];

    /// <summary>What clients may take of the server.</summary>
    public ServerLimits Limits { get; init; } = new();

    /// <summary>The longest that a lock request is held for <c>Prefer: wait</c>: one hour. A client that asks for more is answered then, and may ask again.</summary>
    public TimeSpan MaxWait { get; init; } = DefaultMaxWait;

    /// <summary>The clock for "since when" and for waiting.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Sets up the log; by default there is none.</summary>
    public Action<ILoggingBuilder>? Logging { get; init; }
}
