namespace FleetLock.Server.Tests;

/// <summary>Requests to a coordinator, with what a test does not care about filled in.</summary>
internal static class CoordinatorRequests
{
    /// <summary>The same decision, without the random grant id and the renewals of its holder.</summary>
    internal static SlotDecision WithoutGrant(this SlotDecision decision) =>
        decision with { Holder = decision.Holder is null ? null : decision.Holder with { GrantId = null, Renewals = 0, IsShared = false } };

    /// <summary>A lock by a client without grant ids.</summary>
    internal static Task<SlotDecision> LockAsync(
        this GroupCoordinator coordinator, string id, string? from, TimeSpan wait, CancellationToken aborted) =>
        coordinator.LockAsync(id, GrantId.Create(), from, wait, aborted);

    internal static Task<SlotDecision> LockAsync(
        this GroupCoordinator coordinator, string id, string grantId, string? from, TimeSpan wait, CancellationToken aborted) =>
        coordinator.LockAsync(new LockRequest(id, grantId, from, wait), () => true, aborted);

    internal static Task<SlotDecision> UnlockAsync(this GroupCoordinator coordinator, string id) =>
        coordinator.DecideAsync(new UnlockRequest(id), CancellationToken.None);

    internal static Task<SlotDecision> CancelGrantAsync(this GroupCoordinator coordinator, string id, string grantId) =>
        coordinator.DecideAsync(new CancelGrantRequest(id, grantId), CancellationToken.None);

    internal static Task<SlotDecision> RevokeAsync(this GroupCoordinator coordinator, string id, SlotHolder granted) =>
        coordinator.DecideAsync(new RevokeRequest(id, granted.GrantId!, granted.Renewals), CancellationToken.None);

    internal static Task<SlotDecision> ResizeAsync(this GroupCoordinator coordinator, int slots) =>
        coordinator.DecideAsync(new ResizeRequest(slots), CancellationToken.None);

    internal static Task<SlotDecision> ConfigureAsync(this GroupCoordinator coordinator, int? slots) =>
        coordinator.DecideAsync(new ConfigureRequest(slots), CancellationToken.None);
}
