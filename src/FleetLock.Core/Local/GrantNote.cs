using System.Text.Json.Serialization;

namespace FleetLock;

/// <summary>
/// What a run notes on the machine before it asks for a slot, so that a later run finds the grant of one that was killed. The names are a contract between
/// versions.
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

    /// <summary>Whether the run is about to release the slot, so that nothing may begin under it any more.</summary>
    [JsonPropertyName("is_ending")]
    public bool IsEnding { get; init; }

    /// <summary>The run for people.</summary>
    internal string Describe() => FormattableString.Invariant($"{Process.Describe()}, since {Since.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC");
}

/// <summary>Reads and writes the notes, ahead of time.</summary>
[JsonSourceGenerationOptions(WriteIndented = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(GrantNote))]
[JsonSerializable(typeof(ProcessIdentity))]
internal sealed partial class NoteJson : JsonSerializerContext;
