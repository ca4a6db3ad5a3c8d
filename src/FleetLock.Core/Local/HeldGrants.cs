namespace FleetLock;

/// <summary>
/// The grants that a command or a script block runs under. A command knows them by an environment variable. A daemon or a terminal inherits
/// that too, so it only says where to look: the note of the grant tells whether the run is still there.
/// </summary>
public static class HeldGrants
{
    /// <summary>The environment variable: grant ids, separated by spaces.</summary>
    public const string Variable = "FLEETLOCK_HELD";

    // Of blocks that run in this process. The variable is the whole process's, and says nothing of which of its threads runs under what.
    private static readonly AsyncLocal<string[]?> OfThisFlow = new();
    private static readonly object VariableLock = new();

    /// <summary>The variable's value for a command that runs under one grant more than this process.</summary>
    /// <param name="grantId">The grant id.</param>
    /// <returns>The value.</returns>
    public static string With(string grantId) => string.Join(" ", OfVariable().Append(grantId));

    /// <summary>Begins a block in this process that runs under a grant, as all do that it starts.</summary>
    /// <param name="grantId">The grant id.</param>
    public static void Enter(string grantId)
    {
        OfThisFlow.Value = [.. OfThisFlow.Value ?? [], grantId];
        lock (VariableLock)
            Environment.SetEnvironmentVariable(Variable, With(grantId));
    }

    /// <summary>Ends such a block. A block around it may run under the same grant, and goes on.</summary>
    /// <param name="grantId">The grant id.</param>
    public static void Leave(string grantId)
    {
        OfThisFlow.Value = [.. Without(OfThisFlow.Value ?? [], grantId)];
        lock (VariableLock)
        {
            var others = string.Join(" ", Without([.. OfVariable()], grantId));
            Environment.SetEnvironmentVariable(Variable, others.Length > 0 ? others : null);
        }
    }

    /// <summary>Whether the caller runs under the grant of a note, as far as the variable tells.</summary>
    internal static bool Contain(GrantNote note) => note.Process == ProcessIdentity.Current
        ? OfThisFlow.Value?.Contains(note.GrantId) == true
        : OfVariable().Contains(note.GrantId);

    private static IEnumerable<string> Without(string[] grantIds, string grantId)
    {
        var last = Array.LastIndexOf(grantIds, grantId);
        return grantIds.Where((_, i) => i != last);
    }

    private static IEnumerable<string> OfVariable() =>
        (Environment.GetEnvironmentVariable(Variable) ?? "").Split(' ').Where(grantId => grantId.Length > 0);
}
