using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace FleetLock;

/// <summary>
/// The files of one slot in a <see cref="RunFolder"/>: the lock file, a note for each server, and a file for each run that runs under
/// another's slot.
/// </summary>
/// <remarks>
/// The lock is on group and id, and not on the server: one server has many names. A note is of one server, because a grant is.
/// </remarks>
internal sealed class SlotFiles
{
    private const string InnerEnding = ".inner";
    private const string TemporaryEnding = ".new";

    // In this order: a run that adopts a note writes its own first, and removes the other then.
    private static readonly (NoteState State, string Ending)[] States =
        [(NoteState.Running, ".note"), (NoteState.Ending, ".ending"), (NoteState.Left, ".left")];

    private readonly string _folder;
    private readonly string _slot;
    private readonly string _note;

    /// <summary>Names the files; none is touched.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="scope">The semaphore.</param>
    /// <param name="group">The group.</param>
    /// <param name="id">The node id.</param>
    internal SlotFiles(string folder, RunScope scope, string group, string id)
    {
        _folder = folder;

        // Hashed, because an id can have any character; the separator cannot occur in a group. The number of a file's device may change
        // with a restart, which a note survives.
        LockPath = Path.Combine(folder, Hash($"{group}\n{id}\n{scope.DataFile}") + ".lock");
        _slot = Hash($"{group}\n{id}\n{(scope.DataFile is null ? "" : scope.Name)}");
        _note = $"{_slot}-{Hash(scope.Name.TrimEnd('/'))}";
    }

    /// <summary>The lock file.</summary>
    internal string LockPath { get; }

    /// <summary>Reads the note of this server.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    internal GrantNote? ReadNote() =>
        States.Select(state => ReadNote(NotePath(state.Ending), state.State)).FirstOrDefault(note => note is not null);

    /// <summary>Reads the notes of all servers.</summary>
    /// <exception cref="IOException">One cannot be read.</exception>
    internal IReadOnlyList<GrantNote> ReadNotes() =>
    [
        .. States.SelectMany(state => List(_slot + "-", state.Ending).Select(path => ReadNote(path, state.State))).OfType<GrantNote>(),
    ];

    /// <summary>Writes the note of a run, in the place of an earlier run's. It is durable when this returns.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    internal void WriteNote(GrantNote note)
    {
        Write(NotePath(NoteState.Running), note, NoteJson.Default.GrantNote);
        TryDelete(NotePath(NoteState.Ending));
        TryDelete(NotePath(NoteState.Left));
    }

    /// <summary>Gives the note another state.</summary>
    /// <exception cref="IOException">The file cannot be renamed.</exception>
    internal void MoveNote(NoteState from, NoteState to)
    {
        try
        {
            Move(NotePath(from), NotePath(to));
        }
        catch (FileNotFoundException)
        {
            // Somebody has removed it, and nothing can begin under a note that is not there.
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"The note {NotePath(from)} cannot be renamed: {e.Message}", e);
        }
    }

    /// <summary>Removes the note of this server, and what runs under it have left. What cannot be removed does no harm.</summary>
    internal void DeleteNote()
    {
        // The next run adopts what remains, learns that the grant is cancelled, and goes on with one of its own.
        foreach (var path in List(_note, InnerEnding).Concat(List(_note, TemporaryEnding)))
            TryDelete(path);
        foreach (var (_, ending) in Enumerable.Reverse(States))
            TryDelete(NotePath(ending));
    }

    /// <summary>Enters a process as one that runs under the slot of this server's note.</summary>
    /// <param name="process">An inner run, or its command.</param>
    /// <returns>The file, to be deleted at the end.</returns>
    /// <exception cref="IOException">It cannot be written.</exception>
    internal string EnterInner(ProcessIdentity process)
    {
        var path = Path.Combine(_folder, FormattableString.Invariant($"{_note}.{Guid.NewGuid():N}{InnerEnding}"));
        Write(path, process, NoteJson.Default.ProcessIdentity);
        return path;
    }

    /// <summary>Deletes a file; one that stays says of a process that is gone, and is not believed.</summary>
    internal static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What it says is compared with the processes that run.
        }
    }

    /// <summary>Who still uses a slot of these files, whichever server it is of, for people: a run, its command, or an inner run.</summary>
    /// <param name="isOther">Which notes count.</param>
    /// <exception cref="IOException">A note cannot be read.</exception>
    internal string? DescribeUser(Func<GrantNote, bool> isOther) =>
        ReadNotes().Where(isOther).Select(note => note.DescribeUser()).FirstOrDefault(user => user is not null)
        ?? FindLiveInner()?.Describe();

    /// <summary>A live process that has entered itself.</summary>
    /// <exception cref="IOException">A file cannot be read.</exception>
    internal ProcessIdentity? FindLiveInner() =>
        List(_slot + "-", InnerEnding).Select(ReadInner).FirstOrDefault(process => process is { IsAlive: true });

    private static GrantNote? ReadNote(string path, NoteState state)
    {
        if (Read(path, NoteJson.Default.GrantNote) is not { } note)
            return null;
        if (note.Format != GrantNote.CurrentFormat)
            throw new IOException($"The note {path} is of another version of FleetLock (format {note.Format}). Update this one.");
        return note.Process?.Started is not null && GrantId.IsValid(note.GrantId) ? note with { State = state } : throw Damaged(path, null);
    }

    private static ProcessIdentity? ReadInner(string path) => Read(path, NoteJson.Default.ProcessIdentity) is not { } process ? null
        : process.Started is not null ? process
        : throw Damaged(path, null);

    private static T? Read<T>(string path, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), type) ?? throw Damaged(path, null);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (JsonException e)
        {
            throw Damaged(path, e);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException($"The note {path} cannot be read: {e.Message}", e);
        }
    }

    private static IOException Damaged(string path, Exception? inner) => new(
        $"The note {path} of an earlier run is damaged. Find out whether that run's command is still running and whether its slot is held. "
        + "Then delete the file.",
        inner);

    private static string Hash(string text)
    {
        using var sha = SHA256.Create();
        var digest = sha.ComputeHash(Encoding.UTF8.GetBytes(text));
        Array.Resize(ref digest, 16);
        return MachineId.ToHex(digest);
    }

    /// <summary>Others may read what root writes: their runs respect it.</summary>
    private static void Write<T>(string path, T value, JsonTypeInfo<T> type)
    {
        var temporary = FormattableString.Invariant($"{path}.{ProcessIdentity.Current.Id}{TemporaryEnding}");
        try
        {
            using (var file = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None))
            {
#if NET
                const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;
                const UnixFileMode Readable = Private | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
                if (!OperatingSystem.IsWindows())
                    File.SetUnixFileMode(file.SafeFileHandle, RunFolder.IsRoot() ? Readable : Private);
#endif
                JsonSerializer.Serialize(file, value, type);
                file.Flush(flushToDisk: true);
            }

            Move(temporary, path);
#if NET
            if (!OperatingSystem.IsWindows())
                UnixFile.SyncFolder(Path.GetDirectoryName(path)!);
#endif
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            TryDelete(temporary);
            throw new IOException($"The note {path} cannot be written: {e.Message}", e);
        }
    }

    private static void Move(string from, string to)
    {
#if NET
        File.Move(from, to, overwrite: true);
#else
        if (File.Exists(to))
            File.Replace(from, to, null);
        else
            File.Move(from, to);
#endif
    }

    private string NotePath(NoteState state) => NotePath(States.Single(one => one.State == state).Ending);

    private string NotePath(string ending) => Path.Combine(_folder, _note + ending);

    /// <summary>Compared by hand, because a search pattern matches more on Windows.</summary>
    private IEnumerable<string> List(string beginning, string ending)
    {
        if (!Directory.Exists(_folder))
            return [];
        return Directory.GetFiles(_folder).Where(path => Path.GetFileName(path) is var name
            && name.StartsWith(beginning, StringComparison.Ordinal) && name.EndsWith(ending, StringComparison.Ordinal));
    }
}
