using System.Collections;
using System.Diagnostics;
using System.Management.Automation;
using FleetLock.PowerShell.Commands;

namespace FleetLock.PowerShell.Completion;

/// <summary>
/// What the server in force tells of its groups to somebody who presses Tab: within a second, and nothing at all when it is away, refuses or
/// does not have the extension. A server that is away is not waited for at each key.
/// </summary>
internal static class ServerInForce
{
    // Which server is asked, and how: what else is typed does not matter.
    private static readonly string[] Asking = ["Uri", "Token", "Credential", "Certificate", "CertificatePath", "CaCertificatePath", "SkipCertificateCheck", "Proxy", "NoProxy", "Header"];

    private static Answer? Last;

    /// <summary>The groups of the server that the command line or the configuration names.</summary>
    /// <param name="typed">The parameters that are on the line already.</param>
    /// <returns>The groups; none when there is nothing to tell.</returns>
    internal static IReadOnlyList<FleetGroup> Groups(IDictionary typed)
    {
        var given = Asking.Where(typed.Contains).ToDictionary(name => name, name => (object?)typed[name]);
        if (ConfigurationFor(given) is not { } configuration)
            return [];
        if (Volatile.Read(ref Last) is { } last && last.IsFor(configuration, given))
            return last.Groups;

        var groups = Ask(given);
        Volatile.Write(ref Last, new Answer(configuration, given, groups, Stopwatch.StartNew()));
        return groups;
    }

    /// <summary>The settings in force as one text, without secrets; <see langword="null"/> when there is no server to ask.</summary>
    private static string? ConfigurationFor(Dictionary<string, object?> given)
    {
        try
        {
            var configuration = FleetLockConfiguration.Resolve(given.TryGetValue("Uri", out var uri) ? TextOf(uri) : null);
            configuration.RequireServers();
            return string.Join("\n", configuration.All());
        }
        catch (FleetLockInputException)
        {
            return null;
        }
    }

    private static string TextOf(object? uri) => uri is object[] several ? string.Join(" ", several) : $"{uri}";

    private static IReadOnlyList<FleetGroup> Ask(Dictionary<string, object?> given)
    {
        // The cmdlet itself, so that each parameter means here what it means there.
        using var shell = System.Management.Automation.PowerShell.Create(RunspaceMode.CurrentRunspace);
        shell
            .AddCommand(new CmdletInfo("Get-FleetGroup", typeof(GetFleetGroupCommand)))
            .AddParameters(given)
            .AddParameter("TimeoutSec", Math.Max(1, (int)InteractiveLimits.Completion.TotalSeconds))
            .AddParameter("ErrorAction", ActionPreference.Ignore)
            .AddParameter("WarningAction", ActionPreference.SilentlyContinue)
            .AddParameter("Verbose", false);
        try
        {
            return [.. shell.Invoke<FleetGroup>()];
        }
        catch (RuntimeException)
        {
            // What is typed so far is no good yet.
            return [];
        }
    }

    private sealed record Answer(string Configuration, Dictionary<string, object?> Given, IReadOnlyList<FleetGroup> Groups, Stopwatch Age)
    {
        internal bool IsFor(string configuration, Dictionary<string, object?> given) =>
            Age.Elapsed < InteractiveLimits.CompletionFreshness
            && Configuration == configuration
            && Given.Count == given.Count
            && given.All(one => Given.TryGetValue(one.Key, out var value) && Equals(value, one.Value));
    }
}
