using System;
using System.Collections.Generic;
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
public sealed record FleetGroup(string Group, int Slots, int Free, IReadOnlyList<FleetHolder> Holders);

/// <summary>A machine that holds a slot.</summary>
/// <param name="Id">The node id.</param>
/// <param name="Since">When the slot was granted.</param>
public sealed record FleetHolder(string Id, DateTimeOffset Since);

/// <summary>The JSON of the extensions: generated code, so that trimming and start-up time do not suffer.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    WriteIndented = false)]
[JsonSerializable(typeof(FleetGroupList))]
public sealed partial class GroupJson : JsonSerializerContext;
