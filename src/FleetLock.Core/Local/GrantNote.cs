using System.Text.Json.Serialization;

namespace FleetLock;

/// <summary>How far the run of a note is. A note changes its state by a new name, which a full disk does not prevent.</summary>
internal enum NoteState
{
    /// <summary>The run asks for the slot, or holds it.</summary>
    Running,

    /// <summary>The run is about to release the slot: nothing may begin under it any more.</summary>
    Ending,

    /// <summary>The run has ended and left the slot behind, whether or not its process lives on.</summary>
    Left,
}

/// <summary>
/// What a run notes on the machine before it asks for a slot, so that a later run finds the grant of one that was killed. The JSON names
/// are a contract between versions.
/// </summary>
/// <param name="Server">The server's base address; of an embedded one, its data file.</param>
/// <param name="Group">The group.</param>
/// <param name="Id">The node id.</param>
/// <param name="GrantId">The grant id of the lock operation.</param>
/// <param name="Since">When the run began.</param>
/// <param name="Process">The run.</param>
internal sealed record GrantNote(
    [property: JsonPropertyName("server")] string Server,
    [property: JsonPropertyName("group")] string Group,
    [property: JsonPropertyName("id")] string Id,
    [property: JsonPropertyName("grant_id")] string GrantId,
    [property: JsonPropertyName("since")] DateTimeOffset Since,
    [property: JsonPropertyName("process")] ProcessIdentity Process)
{
    /// <summary>The only format so far.</summary>
    internal const int CurrentFormat = 1;

    /// <summary>The format. A change that an older version must not miss takes a new one.</summary>
    [JsonPropertyName("format")]
    public int Format { get; init; } = CurrentFormat;

    /// <summary>The command that runs under the slot; <see langword="null"/> while there is none.</summary>
    [JsonPropertyName("command")]
    public ProcessIdentity? Command { get; init; }

    /// <summary>How far the run is, as the file's name tells.</summary>
    [JsonIgnore]
    internal NoteState State { get; init; }

    /// <summary>Whether the run itself is still there.</summary>
    [JsonIgnore]
    internal bool IsInUse => State != NoteState.Left && Process.IsAlive;

    /// <summary>The run for people.</summary>
    internal string Describe() => FormattableString.Invariant($"{Process.Describe()}, since {Since.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC");

    /// <summary>Who still uses the slot, for people: the run, or the command of a run that was killed.</summary>
    /// <returns><see langword="null"/> when nobody does.</returns>
    internal string? DescribeUser() =>
        IsInUse ? Describe()
        : Command is { IsAlive: true } command ? $"{command.Describe()}, which a run has started that is gone"
        : null;
}

/// <summary>Reads and writes the notes, ahead of time.</summary>
[JsonSourceGenerationOptions(WriteIndented = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(GrantNote))]
[JsonSerializable(typeof(ProcessIdentity))]
internal sealed partial class NoteJson : JsonSerializerContext;
