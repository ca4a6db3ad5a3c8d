using System.Text.Json.Serialization;

namespace FleetLock;

/// <summary>The answer of <c>GET /v1/groups</c>.</summary>
/// <param name="Groups">The groups, by name.</param>
public sealed record FleetGroupList(IReadOnlyList<FleetGroup> Groups);

/// <summary>A group of machines: its slots and who holds them.</summary>
/// <param name="Group">The group's name.</param>
/// <param name="Slots">How many may hold a slot at the same time.</param>
/// <param name="Free">How many slots are free; 0 when there are more holders than slots, after the slots were made fewer.</param>
/// <param name="Holders">Who holds a slot, by id.</param>
public sealed record FleetGroup(string Group, int Slots, int Free, IReadOnlyList<FleetHolder> Holders)
{
    /// <summary>How many ids wait for a slot at this server, with <c>Prefer: wait</c>.</summary>
    public int Waiting { get; init; }

    /// <summary>What is wrong with the group's stored value, when it cannot be read; <see langword="null"/> when all is well.</summary>
    public string? Fault { get; init; }

    /// <summary>
    /// Whether the server's store went back to an earlier state, as when a backup is restored. No slot is granted then until an administrator confirms
    /// the restored content; some of the holders may be missing.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool StoreRestored { get; init; }

    /// <summary>The base address of the server that told it, without user information; the client's to set, it is not sent.</summary>
    [JsonIgnore]
    public string? Server { get; init; }

    /// <summary>The group's name.</summary>
    /// <returns>The name.</returns>
    public override string ToString() => Group;

    /// <summary>The same group, it and its holders saying where they came from, so that what is shown can be acted on.</summary>
    /// <param name="server">The server's base address.</param>
    /// <returns>The group.</returns>
    /// <remarks>An array, because PowerShell cannot index the list that a collection expression makes.</remarks>
    internal FleetGroup At(string server) => this with { Server = server, Holders = Array.ConvertAll(Holders.ToArray(), holder => holder with { Group = Group, Server = server }) };

    /// <summary>JSON of another shape leaves members unset that are never null.</summary>
    internal bool IsComplete => Group is not null && Holders is not null && Holders.All(holder => holder?.Id is not null);
}

/// <summary>A machine that holds a slot.</summary>
/// <param name="Id">The node id.</param>
/// <param name="Since">When the slot was granted; <see langword="null"/> when another program (airlock) granted it and kept no time.</param>
public sealed record FleetHolder(string Id, DateTimeOffset? Since)
{
    /// <summary>The address that the granted request came from, if it is known.</summary>
    public string? From { get; init; }

    /// <summary>When the holder last asked for its slot, if it is known.</summary>
    public DateTimeOffset? LastAsked { get; init; }

    /// <summary>The group whose slot it holds; the client's to set, it is not sent.</summary>
    [JsonIgnore]
    public string? Group { get; init; }

    /// <summary>The base address of the server that told it, without user information; the client's to set, it is not sent.</summary>
    [JsonIgnore]
    public string? Server { get; init; }

    /// <summary>The node id, which is also what is left of a holder where something writes a list only so deep.</summary>
    /// <returns>The id.</returns>
    public override string ToString() => Id;
}

/// <summary>The body of <c>PUT /v1/groups/{group}</c>.</summary>
/// <param name="Slots">The number of slots, from 0; <see langword="null"/> when the body does not say.</param>
public sealed record FleetGroupSlots(int? Slots);

/// <summary>The answer of <c>GET /v1</c>.</summary>
/// <param name="Features">The names of the extensions that the server has.</param>
public sealed record FleetFeatureList(IReadOnlyList<string> Features);

/// <summary>The answer of <c>DELETE /v1/restore-mark</c>.</summary>
/// <param name="Confirmed">
/// Whether a restored store was confirmed; <see langword="false"/> when none was marked, <see langword="null"/> when the body does not say.
/// </param>
public sealed record FleetRestoreConfirmation(bool? Confirmed);

/// <summary>The JSON of the extensions: generated code, so that trimming and start-up time do not suffer.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    WriteIndented = false)]
[JsonSerializable(typeof(FleetGroupList))]
[JsonSerializable(typeof(FleetGroup))]
[JsonSerializable(typeof(FleetHolder))]
[JsonSerializable(typeof(FleetGroupSlots))]
[JsonSerializable(typeof(FleetFeatureList))]
[JsonSerializable(typeof(FleetRestoreConfirmation))]
public sealed partial class GroupJson : JsonSerializerContext;
