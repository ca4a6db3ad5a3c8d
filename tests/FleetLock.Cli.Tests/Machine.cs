using System.Security.Cryptography;
using FleetLock.TestKit;

namespace FleetLock.Cli.Tests;

/// <summary>What tests take of the machine that they run on; without it they are skipped.</summary>
internal static class Machine
{
    private const string Source = "/etc/machine-id";

    internal static void RequireUnix() => Assert.SkipWhen(OperatingSystem.IsWindows(), "The test's commands and signals are those of a Unix.");

    internal static void RequireSignal(string signal) => Assert.SkipWhen(IgnoredSignals.Contains(signal), $"The tests were started with SIG{signal} ignored.");

    /// <summary>This machine's own id.</summary>
    internal static string RequireId()
    {
        Assert.SkipUnless(File.Exists(Source), $"This machine has no {Source}.");
        return File.ReadAllText(Source).Trim();
    }

    /// <summary>The id that a command has on this machine when it is told none.</summary>
    internal static string RequireNodeId() => Derive(RequireId(), "de35106b6ec24688b63afddaa156679b");

    /// <summary>The derivation once more, by the protocol's own words.</summary>
    internal static string Derive(string machineId, string applicationId)
    {
        var digest = HMACSHA256.HashData(Convert.FromHexString(machineId), Convert.FromHexString(applicationId))[..16];
        digest[6] = (byte)((digest[6] & 0x0F) | 0x40);
        digest[8] = (byte)((digest[8] & 0x3F) | 0x80);
        return Convert.ToHexStringLower(digest);
    }
}
