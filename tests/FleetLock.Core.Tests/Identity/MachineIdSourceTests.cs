namespace FleetLock.Core.Tests;

/// <summary>Where each operating system keeps its machine id.</summary>
[Trait("Lane", "Fast")]
public sealed class MachineIdSourceTests
{
    private const string Good = "dfd7882acda64c34aca76193c46f5d4e";
    private const string Etc = "/etc/machine-id";
    private const string DBus = "/var/lib/dbus/machine-id";

    private const string Ioreg = """
        +-o J314sAP  <class IOPlatformExpertDevice, id 0x100000227, registered, matched, active, busy 0 (112 ms), retain 37>
            {
              "manufacturer" = <"Apple Inc.">
              "compatible" = <"J314sAP","MacBookPro18,3","AppleARM">
              "IOPolledInterface" = "AppleARMWatchdogTimerHibernateHandler is not serializable"
              "IOPlatformUUID" = "DFD7882A-CDA6-4C34-ACA7-6193C46F5D4E"
              "IOPlatformSerialNumber" = "C02XXXXXXXXX"
              "IOBusyInterest" = "IOCommand is not serializable"
            }
        """;

    public static readonly TheoryData<string?> NoUse = new(null, "", "\n", "uninitialized\n", "00000000000000000000000000000000\n", "not an id");

    [Fact]
    public void Linux_has_its_own_file_first()
    {
        var (id, source) = FindOnLinux(new() { [Etc] = Good + "\n", [DBus] = "10c30367c3cb44eaaab432e552061395\n" });

        Assert.Equal((Good, Etc), (id.ToString(), source));
    }

    [Theory]
    [MemberData(nameof(NoUse))]
    public void Linux_falls_back_to_the_file_of_DBus(string? first)
    {
        var (id, source) = FindOnLinux(new() { [Etc] = first, [DBus] = Good.ToUpperInvariant() + "\n" });

        Assert.Equal((Good, DBus), (id.ToString(), source));
    }

    [Theory]
    [InlineData("dfd7882a-cda6-4c34-aca7-6193c46f5d4e")]
    [InlineData("{DFD7882A-CDA6-4C34-ACA7-6193C46F5D4E}")]
    public void Windows_has_the_MachineGuid(string value)
    {
        var asked = default((string, string));

        var (id, source) = MachineId.Find(MachineIdSource.OfWindows((key, name) =>
        {
            asked = (key, name);
            return value;
        }));

        Assert.Equal((@"SOFTWARE\Microsoft\Cryptography", "MachineGuid"), asked);
        Assert.Equal((Good, @"HKLM\SOFTWARE\Microsoft\Cryptography\MachineGuid"), (id.ToString(), source));
    }

    [Fact]
    public void MacOS_has_the_IOPlatformUUID()
    {
        var asked = default(string);

        var (id, source) = MachineId.Find(MachineIdSource.OfMacOS(arguments =>
        {
            asked = arguments;
            return Ioreg;
        }));

        Assert.Equal("-rd1 -c IOPlatformExpertDevice", asked);
        Assert.Equal((Good, "ioreg -rd1 -c IOPlatformExpertDevice"), (id.ToString(), source));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("ioreg: error: can't obtain properties")]
    [InlineData("\"IOPlatformUUID\" = \"\"")]
    [InlineData("\"IOPlatformUUID\" = <64666437>")]
    public void MacOS_without_a_usable_ioreg_is_an_error_that_names_it(string? output)
    {
        var fault = Assert.Throws<FleetLockInputException>(() => MachineId.Find(MachineIdSource.OfMacOS(_ => output)));

        Assert.Contains("ioreg -rd1 -c IOPlatformExpertDevice", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_error_names_every_source_with_its_fault_and_what_to_do()
    {
        var fault = Assert.Throws<FleetLockInputException>(() => FindOnLinux(new() { [Etc] = "uninitialized\n", [DBus] = null }));

        Assert.Equal("id", fault.Setting);
        Assert.Contains(Etc, fault.Message, StringComparison.Ordinal);
        Assert.Contains(DBus, fault.Message, StringComparison.Ordinal);
        Assert.Contains("FLEETLOCK_ID", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_MachineGuid_is_an_error_that_names_the_key()
    {
        var fault = Assert.Throws<FleetLockInputException>(() => MachineId.Find(MachineIdSource.OfWindows((_, _) => null)));

        Assert.Contains(@"HKLM\SOFTWARE\Microsoft\Cryptography\MachineGuid", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void This_machine_has_sources() => Assert.NotEmpty(MachineIdSource.OfThisMachine());

    [Fact]
    public void Reading_this_machines_sources_does_not_throw() => Assert.All(MachineIdSource.OfThisMachine(), source => source.Read());

    private static (MachineId Id, string Source) FindOnLinux(Dictionary<string, string?> files) =>
        MachineId.Find(MachineIdSource.OfLinux(path => files.GetValueOrDefault(path)));
}
