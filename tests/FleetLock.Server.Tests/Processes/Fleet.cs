using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using FleetLock.TestKit;
using Xunit;

namespace FleetLock.Server.Tests;

/// <summary>
/// Machines that take slots and give them back as fast as they can, and remember what they were told. What was asked and not answered may
/// have gone either way; everything else is known.
/// </summary>
internal sealed class Fleet : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly int _slots;
    private readonly Machine[] _machines;
    private readonly SemaphoreSlim _answered = new(0);
    private int _held;

    internal Fleet(int slots, int machines)
    {
        _slots = slots;
        _machines = [.. Enumerable.Range(0, machines).Select(i => new Machine("machine" + i, new Random(i)))];
    }

    private enum Slot
    {
        Free,
        Held,
        Unknown,
    }

    /// <summary>Works with a server until the connections to it have ended.</summary>
    internal Task WorkAsync(Uri server) => Task.WhenAll(_machines.Select(machine => WorkAsync(machine, server)));

    /// <summary>Waits for some more answers.</summary>
    internal async Task WaitForAnswersAsync(int count)
    {
        for (; count > 0; count--)
            Assert.True(await _answered.WaitAsync(Patience, TestContext.Current.CancellationToken), "The server does not answer.");
    }

    /// <summary>Compares what the machines were told with what a server says, while they do nothing.</summary>
    /// <param name="holders">The holders, as a server says.</param>
    internal void AssertNothingWasLost(IReadOnlyCollection<string> holders)
    {
        Assert.InRange(holders.Count, 0, _slots);
        foreach (var machine in _machines)
        {
            var isHolder = holders.Contains(machine.Id);
            Assert.False(machine.Slot == Slot.Held && !isHolder, $"{machine.Id}: an answered grant is lost.");
            Assert.False(machine.Slot == Slot.Free && isHolder, $"{machine.Id}: an answered release or refusal is lost.");
            machine.Slot = isHolder ? Slot.Held : Slot.Free;
        }

        _held = holders.Count;
    }

    public void Dispose() => _answered.Dispose();

    private async Task WorkAsync(Machine machine, Uri server)
    {
        try
        {
            using var client = await RawClient.ConnectAsync(server);
            for (; ; )
            {
                if (machine.Random.Next(2) == 0)
                    await LockAsync(machine, client);
                else
                    await UnlockAsync(machine, client);
                _answered.Release();
            }
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            // The server is gone.
        }
    }

    private async Task LockAsync(Machine machine, RawClient client)
    {
        var before = machine.Slot;
        if (before == Slot.Free)
            machine.Slot = Slot.Unknown;

        var status = (await client.AskAsync(TestServer.Request(TestServer.PreReboot, Sample.Group, machine.Id))).Status;
        if (status == 200)
        {
            if (before != Slot.Held)
                Assert.InRange(Interlocked.Increment(ref _held), 1, _slots);
            machine.Slot = Slot.Held;
        }
        else
        {
            Assert.Equal(409, status);
            Assert.NotEqual(Slot.Held, before);
            machine.Slot = Slot.Free;
        }
    }

    private async Task UnlockAsync(Machine machine, RawClient client)
    {
        // From here on another machine may be granted the slot.
        if (machine.Slot == Slot.Held)
            Interlocked.Decrement(ref _held);
        if (machine.Slot != Slot.Free)
            machine.Slot = Slot.Unknown;

        Assert.Equal(200, (await client.AskAsync(TestServer.Request(TestServer.SteadyState, Sample.Group, machine.Id))).Status);
        machine.Slot = Slot.Free;
    }

    private sealed class Machine(string id, Random random)
    {
        internal string Id => id;

        internal Random Random => random;

        internal Slot Slot { get; set; }
    }
}
