using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using FleetLock.TestKit;

namespace FleetLock.Core.Tests;

/// <summary>These tests once more, against Core's .NET Framework build: on Mono, where it is installed. Windows runs them without Mono's help.</summary>
public sealed class MonoTests
{
    /// <summary>
    /// What is of Mono's own HTTP stack: it takes an interim answer for the final one, and names failures by exceptions that .NET Framework does
    /// not throw; and Debian's Mono has no TLS, whose absence it notices late. None of them is a false grant: <see cref="HostileServerTests"/> and the rest of <see cref="OnlyTwoHundredTests"/> do run.
    /// </summary>
    private static readonly string[] NotForMono =
    [
        "-class-", typeof(TransportFailureTests).FullName!,
        "-method-", $"{typeof(OnlyTwoHundredTests).FullName}.{nameof(OnlyTwoHundredTests.An_interim_answer_decides_nothing)}",
        "-method-", $"{typeof(TimeoutTests).FullName}.{nameof(TimeoutTests.Silence_after_half_a_head_times_out_and_leaves_the_outcome_unknown)}",
        "-method-", $"{typeof(SecretsTests).FullName}.{nameof(SecretsTests.No_outcome_shows_a_secret)}",
        "-method-", $"{typeof(TransportOptionTests).FullName}.{nameof(TransportOptionTests.A_Unix_socket_that_is_not_there_is_unreachable)}",
    ];

    [Fact]
    public async Task The_NET_Framework_build_passes_on_Mono()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows runs FleetLock.Core.FrameworkTests itself.");
        var path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        Assert.SkipUnless(path.Any(folder => File.Exists(Path.Combine(folder, "mono"))), "Mono (mono-runtime) is not on the PATH.");
        var results = Repository.PathOf("out", "TestResults", "mono");
        Directory.CreateDirectory(results);

        var start = new ProcessStartInfo("mono") { RedirectStandardOutput = true };
        string[] arguments =
            [Repository.Built("tests", "FleetLock.Core.FrameworkTests", "net472", "FleetLock.Core.FrameworkTests.exe"), "-noColor", "-result-nunit", Path.Combine(results, "core.xml"), .. NotForMono];
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        using var mono = Process.Start(start)!;
        var output = await mono.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await mono.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.True(mono.ExitCode == 0, output);
        Assert.InRange(int.Parse(Regex.Match(output, @"Total: (\d+)").Groups[1].Value, CultureInfo.InvariantCulture), 1000, int.MaxValue);
    }
}
