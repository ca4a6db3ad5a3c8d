namespace FleetLock;

/// <summary>
/// What a run has on its own machine: the lock that keeps other runs out, the note of its grant, and what an earlier run has left.
/// </summary>
internal sealed class RunClaim : IDisposable
{
    /// <summary>How often the lock is tried: the end of a run is noticed soon, unlike a slot on a server that many ask.</summary>
    internal static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly RunScope _scope;
    private readonly string _group;
    private readonly IReadOnlyList<string> _ids;
    private readonly string _folder;
    private readonly string? _rootFolder;
    private SlotFiles _files;
    private RunLock? _lock;
    private GrantNote? _note;
    private bool _isNoted;
    private readonly List<string> _entered = [];

    /// <summary>Checks the folder; nothing is claimed yet.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="scope">The semaphore.</param>
    /// <param name="group">The group.</param>
    /// <param name="ids">The node ids to choose from.</param>
    /// <param name="rootFolder">The folder of root's runs, which are respected; <see langword="null"/> when there is none.</param>
    /// <exception cref="FleetLockInputException">The group or an id is invalid.</exception>
    /// <exception cref="IOException">The folder cannot be used.</exception>
    internal RunClaim(string folder, RunScope scope, string group, IReadOnlyList<string> ids, string? rootFolder)
    {
        if (ids is null || ids.Count == 0)
            throw new ArgumentException("There is no id.", nameof(ids));
        _scope = scope ?? throw new ArgumentNullException(nameof(scope));
        _group = ProtocolRules.RequireGroup(group);
        _ids = [.. ids.Select(ProtocolRules.RequireId)];
        RunFolder.Require(folder);
        _folder = folder;
        _rootFolder = rootFolder == folder ? null : rootFolder;
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

    /// <summary>
    /// Whether a run that started this process has the slot, and this process cannot join it: waiting for its end would never end.
    /// </summary>
    /// <exception cref="IOException">A note cannot be read.</exception>
    internal bool IsHeldByAncestor() => _ids.All(id =>
        FindOuter(FilesOf(id)) is null && FilesOf(id).ReadNotes().Concat(ReadNotesOfRoot(id)).Any(IsOfAncestor));

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
            if (ReadNotesOfRoot(id).Select(note => note.DescribeUser()).FirstOrDefault(user => user is not null) is { } root)
                holder = root;
            else if (RunLock.TryTake(_files.LockPath) is not { } taken)
                holder = _files.DescribeUser(_ => true) ?? holder;
            else if (TryBegin(taken) is { } user)
                holder = user;
            else
                return null;
        }

        return holder;
    }

    /// <summary>Takes a fresh grant id in the place of an earlier run's, which has been cancelled.</summary>
    /// <exception cref="IOException">The note cannot be written.</exception>
    internal void Renew() => Write(FleetLock.GrantId.Create(), isAdopted: false);

    /// <summary>Notes the command. That of an inner run may outlive it too.</summary>
    /// <exception cref="IOException">The note cannot be written.</exception>
    internal void NoteCommand(ProcessIdentity command)
    {
        if (Outer is null)
            _files.WriteNote(_note = _note! with { Command = command });
        else
            _entered.Add(_files.EnterInner(command));
    }

    /// <summary>Lets nothing begin under the slot any more.</summary>
    /// <returns>A process that still runs under it; <see langword="null"/> when none does.</returns>
    /// <exception cref="IOException">The note cannot be changed, or a file cannot be read: something may run under the slot.</exception>
    internal ProcessIdentity? TryEnd()
    {
        MoveNote(NoteState.Ending);
        return _files.FindLiveInner();
    }

    /// <summary>Removes the note: nothing of this run is held any more.</summary>
    internal void Forget()
    {
        if (!_isNoted)
            return;
        _files.DeleteNote();
        _isNoted = false;
    }

    /// <summary>Gives the lock back, or leaves the run around this process. A note stays, and says that the run has ended.</summary>
    public void Dispose()
    {
        _entered.ForEach(SlotFiles.TryDelete);
        _entered.Clear();
        try
        {
            if (_lock is not null)
                MoveNote(NoteState.Left);
        }
        catch (IOException)
        {
            // The slot stays this process's until that ends.
        }
        finally
        {
            _lock?.Dispose();
            _lock = null;
        }
    }

    private SlotFiles FilesOf(string id) => new(_folder, _scope, _group, id);

    private void MoveNote(NoteState state)
    {
        if (!_isNoted || _note is not { } note || note.State == state)
            return;
        _files.MoveNote(note.State, state);
        _note = note with { State = state };
    }

    /// <summary>
    /// Enters first and reads again then: the run around this one marks its end first, and looks then for who has entered.
    /// </summary>
    private bool TryJoin()
    {
        if (Outer is not null)
            return true;
        foreach (var id in _ids)
        {
            var files = FilesOf(id);
            if (FindOuter(files) is null)
                continue;
            var inner = files.EnterInner(ProcessIdentity.Current);
            if (FindOuter(files) is { } outer)
            {
                (Id, _files, Outer) = (id, files, outer);
                _entered.Add(inner);
                return true;
            }

            SlotFiles.TryDelete(inner);
        }

        return false;
    }

    /// <summary>A run that was killed may have left its command, and that is waited for as well.</summary>
    private static bool IsOfAncestor(GrantNote note) =>
        note.State != NoteState.Left && (note.Process.IsAncestor() || note.Command?.IsAncestor() == true);

    private static GrantNote? FindOuter(SlotFiles files) =>
        files.ReadNote() is { State: NoteState.Running } note && HeldGrants.Contain(note) && note.Process.IsAlive ? note : null;

    /// <returns>Who uses the slot although the lock was free, for people; <see langword="null"/> when the run has begun.</returns>
    private string? TryBegin(RunLock taken)
    {
        try
        {
            // Of a killed run the command may live on, and a run whose lock file was removed has its note. A note of this process is of a
            // run that has ended, because this process knows its own locks.
            if (_files.DescribeUser(note => note.Process != ProcessIdentity.Current || note.Command is { IsAlive: true }) is { } user)
            {
                taken.Dispose();
                return user;
            }

            // A note of another address may be of the same server. Where it is not, its grant id is unknown there and does no harm.
            var left = _files.ReadNote() ?? (_files.ReadNotes() is [var other, ..] ? other : null);
            Write(left?.GrantId ?? FleetLock.GrantId.Create(), isAdopted: left is not null);
            _lock = taken;
            return null;
        }
        catch
        {
            taken.Dispose();
            throw;
        }
    }

    private void Write(string grantId, bool isAdopted)
    {
        var note = new GrantNote(_scope.Name, _group, Id, grantId, DateTimeOffset.UtcNow, ProcessIdentity.Current);
        _files.WriteNote(note);
        (_note, _isNoted, IsAdopted) = (note, true, isAdopted);
    }

    /// <summary>The notes of root's runs, whose lock file nobody else may open. What this user may not read says nothing.</summary>
    /// <exception cref="IOException">A note is damaged, or of another version.</exception>
    private IReadOnlyList<GrantNote> ReadNotesOfRoot(string id)
    {
        if (_rootFolder is null)
            return [];
        try
        {
            return new SlotFiles(_rootFolder, _scope, _group, id).ReadNotes();
        }
        catch (Exception e) when (e is UnauthorizedAccessException || e.InnerException is UnauthorizedAccessException)
        {
            return [];
        }
    }
}
