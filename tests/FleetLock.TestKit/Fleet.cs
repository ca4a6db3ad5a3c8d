using System.Net.Sockets;
using System.Text;

namespace FleetLock.TestKit;

/// <summary>
/// The machines of the group <see cref="Group"/>, which take slots and give them back as fast as they can, and remember what they were told. What
/// was asked and not answered may have gone either way; everything else is known.
/// </summary>
public sealed class Fleet : IDisposable
{
    /// <summary>The machines' group.</summary>
    public const string Group = "workers";

    private readonly int _slots;
    private readonly bool _canStoreBeAway;
    private readonly Machine[] _machines;
    private readonly SemaphoreSlim _answered = new(0);
    private int _held;
    private int _answers;

    /// <summary>Makes the machines.</summary>
    /// <param name="slots">The group's slots.</param>
    /// <param name="machines">How many machines there are.</param>
    /// <param name="canStoreBeAway">Whether a 503 is an answer too: then nobody knows what came of the request.</param>
    public Fleet(int slots, int machines, bool canStoreBeAway = false)
    {
        _slots = slots;
        _canStoreBeAway = canStoreBeAway;
        _machines = [.. Enumerable.Range(0, machines).Select(i => new Machine("machine" + i, new Random(i)))];
    }

    private enum Slot
    {
        Free,
        Held,
        Unknown,
    }

    /// <summary>How many answers there were.</summary>
    public int Answers => Volatile.Read(ref _answers);

    /// <summary>Works with a server until the connections to it have ended.</summary>
    /// <exception cref="InvalidOperationException">An answer breaks a promise.</exception>
    public Task WorkAsync(Uri server) => Task.WhenAll(_machines.Select(machine => WorkAsync(machine, server)));

    /// <summary>Waits for some more answers.</summary>
    /// <param name="count">How many.</param>
    /// <exception cref="InvalidOperationException">The server does not answer.</exception>
    public async Task WaitForAnswersAsync(int count)
    {
        for (; count > 0; count--)
            Require(await _answered.WaitAsync(TestTimeout.Hang), "The server does not answer.");
    }

    /// <summary>Compares what the machines were told with what a server says, while they do nothing.</summary>
    /// <param name="holders">The holders, as a server says.</param>
    /// <exception cref="InvalidOperationException">There are too many, or an answer was lost.</exception>
    public void RequireNothingWasLost(IReadOnlyCollection<string> holders)
    {
        Require(holders.Count <= _slots, $"{holders.Count} holders of {_slots} slots.");
        foreach (var machine in _machines)
        {
            var isHolder = holders.Contains(machine.Id);
            Require(machine.Slot != Slot.Held || isHolder, $"{machine.Id}: an answered grant is lost.");
            Require(machine.Slot != Slot.Free || !isHolder, $"{machine.Id}: an answered release or refusal is lost.");
            machine.Slot = isHolder ? Slot.Held : Slot.Free;
        }

        _held = holders.Count;
    }

    /// <inheritdoc/>
    public void Dispose() => _answered.Dispose();

    private async Task WorkAsync(Machine machine, Uri server)
    {
        try
        {
            using var client = await RawClient.ConnectAsync(server);
            for (; ; )
            {
                var isAnswered = machine.Random.Next(2) == 0 ? await LockAsync(machine, client) : await UnlockAsync(machine, client);
                if (!isAnswered)
                    continue;
                Interlocked.Increment(ref _answers);
                _answered.Release();
            }
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            // The server is gone.
        }
    }

    private async Task<bool> LockAsync(Machine machine, RawClient client)
    {
        var before = machine.Slot;
        if (before == Slot.Free)
            machine.Slot = Slot.Unknown;

        var status = (await client.AskAsync(Request("v1/pre-reboot", machine))).Status;
        if (status == 200)
        {
            if (before != Slot.Held)
                Require(Interlocked.Increment(ref _held) <= _slots, $"{machine.Id} was granted a slot beyond the {_slots}.");
            machine.Slot = Slot.Held;
        }
        else if (!IsStoreAway(status))
        {
            Require(status == 409, $"{machine.Id}: a lock was answered with {status}.");
            Require(before != Slot.Held, $"{machine.Id} holds a slot and was refused.");
            machine.Slot = Slot.Free;
        }

        return !IsStoreAway(status);
    }

    private async Task<bool> UnlockAsync(Machine machine, RawClient client)
    {
        // From here on another machine may be granted the slot.
        if (machine.Slot == Slot.Held)
            Interlocked.Decrement(ref _held);
        if (machine.Slot != Slot.Free)
            machine.Slot = Slot.Unknown;

        var status = (await client.AskAsync(Request("v1/steady-state", machine))).Status;
        if (IsStoreAway(status))
            return false;
        Require(status == 200, $"{machine.Id}: a release was answered with {status}.");
        machine.Slot = Slot.Free;
        return true;
    }

    private bool IsStoreAway(int status) => _canStoreBeAway && status == 503;

    private static byte[] Request(string path, Machine machine) => RawClient.Request(
        "POST /" + path,
        Encoding.UTF8.GetBytes($$$"""{"client_params":{"id":"{{{machine.Id}}}","group":"{{{Group}}}"}}"""),
        "fleet-lock-protocol: true");

    private static void Require(bool isTrue, string message)
    {
        if (!isTrue)
            throw new InvalidOperationException(message);
    }

    private sealed class Machine(string id, Random random)
    {
        internal string Id => id;

        internal Random Random => random;

        internal Slot Slot { get; set; }
    }
}
