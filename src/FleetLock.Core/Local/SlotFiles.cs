using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace FleetLock;

/// <summary>
/// The files of one slot in a <see cref="RunFolder"/>: the lock file, a note for each server, and a file for each run that runs under another's slot.
/// </summary>
/// <remarks>
/// The lock is on group and id, and not on the server: one server has many names. A note is of one server, because a grant is.
/// </remarks>
internal sealed class SlotFiles
{
    private const string NoteEnding = ".note";
    private const string InnerEnding = ".inner";

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

        // Hashed, because an id can have any character; the separator cannot occur in a group. The number of a file's device may change with a restart,
        // which a note survives.
        LockPath = Path.Combine(folder, Hash($"{group}\n{id}\n{scope.DataFile}") + ".lock");
        _slot = Hash($"{group}\n{id}\n{(scope.DataFile is null ? "" : scope.Name)}");
        _note = $"{_slot}-{Hash(scope.Name.TrimEnd('/'))}";
    }

    /// <summary>The lock file.</summary>
    internal string LockPath { get; }

    /// <summary>The note of this server.</summary>
    internal string NotePath => Path.Combine(_folder, _note + NoteEnding);

    /// <summary>Reads the note of this server.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    internal GrantNote? ReadNote() => ReadNote(NotePath);

    /// <summary>Reads the notes of all servers.</summary>
    /// <exception cref="IOException">One cannot be read.</exception>
    internal IReadOnlyList<GrantNote> ReadNotes() =>
        [.. List(_slot + "-", NoteEnding).Select(ReadNote).OfType<GrantNote>()];

    /// <summary>Writes the note. It is durable when this returns.</summary>
    internal void WriteNote(GrantNote note) => Write(NotePath, note, NoteJson.Default.GrantNote, isReadable: RunFolder.IsRoot());

    /// <summary>Removes the note of this server, and what runs under it have left.</summary>
    internal void DeleteNote()
    {
        foreach (var inner in List(_note, InnerEnding))
            File.Delete(inner);
        File.Delete(NotePath);
    }

    /// <summary>Enters this process as one that runs under the slot of this server's note.</summary>
    /// <returns>The file, to be deleted at the end.</returns>
    internal string EnterInner()
    {
        var path = Path.Combine(_folder, FormattableString.Invariant($"{_note}.{Guid.NewGuid():N}{InnerEnding}"));
        Write(path, ProcessIdentity.Current, NoteJson.Default.ProcessIdentity, isReadable: false);
        return path;
    }

    /// <summary>A live process that runs under a slot of these files, whichever server it is of: a command, or an inner run.</summary>
    /// <exception cref="IOException">A note cannot be read.</exception>
    internal ProcessIdentity? FindLiveCommand() => ReadNotes().Select(note => note.Command).FirstOrDefault(IsAlive) ?? FindLiveInner();

    /// <summary>A live process that has entered itself.</summary>
    internal ProcessIdentity? FindLiveInner() =>
        List(_slot + "-", InnerEnding).Select(path => Read(path, NoteJson.Default.ProcessIdentity)).FirstOrDefault(IsAlive);

    private static bool IsAlive(ProcessIdentity? process) => process is { IsAlive: true };

    private static GrantNote? ReadNote(string path) => Read(path, NoteJson.Default.GrantNote) is not { } note ? null
        : note.Format == GrantNote.CurrentFormat ? note
        : throw new IOException($"The note {path} is of another version of FleetLock (format {note.Format}). Update this one.");

    private static T? Read<T>(string path, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), type);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception e) when (e is JsonException or UnauthorizedAccessException)
        {
            throw new IOException($"The note {path} of an earlier run cannot be read: {e.Message}", e);
        }
    }

    private static string Hash(string text)
    {
        using var sha = SHA256.Create();
        var digest = sha.ComputeHash(Encoding.UTF8.GetBytes(text));
        Array.Resize(ref digest, 16);
        return MachineId.ToHex(digest);
    }

    private static void Write<T>(string path, T value, JsonTypeInfo<T> type, bool isReadable)
    {
        var temporary = FormattableString.Invariant($"{path}.{ProcessIdentity.Current.Id}.new");
        try
        {
            using (var file = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None))
            {
#if NET
                const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;
                if (!OperatingSystem.IsWindows())
                    File.SetUnixFileMode(file.SafeFileHandle, isReadable ? Private | UnixFileMode.GroupRead | UnixFileMode.OtherRead : Private);
#endif
                JsonSerializer.Serialize(file, value, type);
                file.Flush(flushToDisk: true);
            }

#if NET
            File.Move(temporary, path, overwrite: true);
            if (!OperatingSystem.IsWindows())
                UnixFile.SyncFolder(Path.GetDirectoryName(path)!);
#else
            if (File.Exists(path))
                File.Replace(temporary, path, null);
            else
                File.Move(temporary, path);
#endif
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException($"The note {path} cannot be written: {e.Message}", e);
        }
    }

    /// <summary>Compared by hand, because a search pattern matches more on Windows.</summary>
    private IEnumerable<string> List(string beginning, string ending)
    {
        if (!Directory.Exists(_folder))
            return [];
        return Directory.GetFiles(_folder).Where(path => Path.GetFileName(path) is var name
            && name.StartsWith(beginning, StringComparison.Ordinal) && name.EndsWith(ending, StringComparison.Ordinal));
    }
}
