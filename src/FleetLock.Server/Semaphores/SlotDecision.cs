namespace FleetLock.Server;

/// <summary>A semaphore's reply to one request, and the state that goes with it.</summary>
/// <param name="Reply">The reply.</param>
/// <param name="Slots">The group's slots at that time.</param>
/// <param name="Holder">The holder that was granted or released, where there is one.</param>
internal readonly record struct SlotDecision(SlotReply Reply, int Slots, SlotHolder? Holder);
