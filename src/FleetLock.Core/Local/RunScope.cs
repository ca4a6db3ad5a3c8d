namespace FleetLock;

/// <summary>Which semaphore a run takes a slot of.</summary>
/// <param name="Name">
/// The server's base address; of an embedded one, the full path of its data file. For people, and for the note of the grant.
/// </param>
/// <param name="DataFile">
/// What tells an embedded server's data file from every other, whatever it is called; <see langword="null"/> for a server, which has many
/// names.
/// </param>
public sealed record RunScope(string Name, string? DataFile = null);
