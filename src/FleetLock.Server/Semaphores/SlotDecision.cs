namespace FleetLock.Server;

/// <summary>A semaphore's reply, and how many slots its group had then.</summary>
/// <param name="Reply">The reply.</param>
/// <param name="Slots">The group's slots.</param>
internal readonly record struct SlotDecision(SlotReply Reply, int Slots);
