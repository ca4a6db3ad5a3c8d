namespace FleetLock;

/// <summary>What a run has on its own machine: the lock that keeps other runs out, the note of its grant, and what an earlier run has left.</summary>
internal sealed class RunClaim : IDisposable
{
    /// <summary>How often the lock is tried: the end of a run is noticed soon, unlike a slot on a server that many ask.</summary>
    internal static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly RunScope _scope;
    private readonly string _group;
    private readonly IReadOnlyList<string> _ids;
    private readonly string _folder;
    private SlotFiles _files;
    private RunLock? _lock;
    private GrantNote? _note;
    private string? _inner;

    /// <summary>Checks the folder; nothing is claimed yet.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="scope">The semaphore.</param>
    /// <param name="group">The group.</param>
    /// <param name="ids">The node ids to choose from.</param>
    /// <exception cref="FleetLockInputException">The group or an id breaks its rule.</exception>
    /// <exception cref="IOException">The folder cannot be used.</exception>
    internal RunClaim(string folder, RunScope scope, string group, IReadOnlyList<string> ids)
    {
        if (ids is null || ids.Count == 0)
            throw new ArgumentException("There is no id.", nameof(ids));
        _scope = scope ?? throw new ArgumentNullException(nameof(scope));
        _group = ProtocolRules.RequireGroup(group);
        _ids = [.. ids.Select(ProtocolRules.RequireId)];
        RunFolder.Require(folder);
        _folder = folder;
        Id = _ids[0];
        _files = FilesOf(Id);
    }

    /// <summary>The node id: of several the one that was claimed.</summary>
    internal string Id { get; private set; }

    /// <summary>The grant id to ask with, once it is claimed.</summary>
    internal string GrantId => (Outer ?? _note ?? throw new InvalidOperationException("Nothing is claimed.")).GrantId;

    /// <summary>Whether the grant id is that of an earlier run.</summary>
    internal bool IsAdopted { get; private set; }

    /// <summary>The run that this process runs under.</summary>
    internal GrantNote? Outer { get; private set; }

    /// <summary>Whether a run that started this process holds the lock, and this process does not know its grant: waiting for it would never end.</summary>
    internal bool IsHeldByAncestor() => _ids.All(id => FilesOf(id).ReadNotes().Any(note => note.Process.IsAncestor() && !HeldGrants.Contain(note)));

    /// <summary>Takes the lock and notes the grant id, or joins the run around this process.</summary>
    /// <returns>Who has it, for people; <see langword="null"/> when it is claimed.</returns>
    /// <exception cref="IOException">The lock file or a note cannot be used.</exception>
    internal string? TryTake()
    {
        if (_lock is not null || TryJoin())
            return null;

        var holder = "another process";
        foreach (var id in _ids)
        {
            (Id, _files) = (id, FilesOf(id));
            if (FindRunOfRoot() is { } root)
                holder = root;
            else if (RunLock.TryTake(_files.LockPath) is not { } taken)
                holder = DescribeHolder() ?? holder;
            else if (_files.FindLiveCommand() is { } command)
                (holder, _) = ($"{command.Describe()}, which a run has started that was killed", Free(taken));
            else
                return Begin(taken);
        }

        return holder;
    }

    /// <summary>Takes a fresh grant id in the place of an earlier run's, which has been cancelled.</summary>
    internal void Renew() => Write(FleetLock.GrantId.Create(), isAdopted: false);

    /// <summary>Notes the command.</summary>
    internal void NoteCommand(ProcessIdentity command)
    {
        if (Outer is null)
            _files.WriteNote(_note = _note! with { Command = command });
    }

    /// <summary>Lets nothing begin under the slot any more.</summary>
    /// <returns>A process that still runs under it; <see langword="null"/> when none does.</returns>
    internal ProcessIdentity? TryEnd()
    {
        if (_note is { IsEnding: false })
            _files.WriteNote(_note = _note with { IsEnding = true });
        return _files.FindLiveInner();
    }

    /// <summary>Removes the note: nothing of this run is held any more.</summary>
    internal void Forget()
    {
        if (_note is not null && Outer is null)
            _files.DeleteNote();
    }

    /// <summary>Gives the lock back, or leaves the run around this process. A note stays.</summary>
    public void Dispose()
    {
        if (_inner is not null)
            File.Delete(_inner);
        _inner = null;
        _lock?.Dispose();
        _lock = null;
    }

    private static bool Free(RunLock taken)
    {
        taken.Dispose();
        return true;
    }

    private SlotFiles FilesOf(string id) => new(_folder, _scope, _group, id);

    /// <summary>Enters first and reads again then: the run around this one marks its end first, and looks then for who has entered.</summary>
    private bool TryJoin()
    {
        if (Outer is not null)
            return true;
        foreach (var id in _ids)
        {
            var files = FilesOf(id);
            if (FindOuter(files) is null)
                continue;
            var inner = files.EnterInner();
            if (FindOuter(files) is { } outer)
            {
                (Id, _files, Outer, _inner) = (id, files, outer, inner);
                return true;
            }

            File.Delete(inner);
        }

        return false;
    }

    private static GrantNote? FindOuter(SlotFiles files) =>
        files.ReadNote() is { IsEnding: false } note && HeldGrants.Contain(note) && note.Process.IsAlive ? note : null;

    private string? Begin(RunLock taken)
    {
        _lock = taken;

        // A note of another address may be of the same server. Where it is not, its grant id is unknown there and does no harm.
        var left = _files.ReadNote() ?? (_files.ReadNotes() is [var other, ..] ? other : null);
        Write(left?.GrantId ?? FleetLock.GrantId.Create(), isAdopted: left is not null);
        return null;
    }

    private void Write(string grantId, bool isAdopted)
    {
        IsAdopted = isAdopted;
        _files.WriteNote(_note = new GrantNote(_scope.Name, _group, Id, grantId, DateTimeOffset.UtcNow, ProcessIdentity.Current));
    }

    private string? DescribeHolder() => _files.ReadNotes().FirstOrDefault(note => note.Process.IsAlive)?.Describe();

    /// <summary>A run of root, whose lock file nobody else may open.</summary>
    private string? FindRunOfRoot()
    {
        if (RunFolder.IsRoot() || _folder == RunFolder.OfRoot)
            return null;
        try
        {
            return new SlotFiles(RunFolder.OfRoot, _scope, _group, Id).ReadNotes().FirstOrDefault(note => note.Process.IsAlive)?.Describe();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What this user may not read says nothing.
            return null;
        }
    }
}
