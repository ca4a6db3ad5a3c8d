namespace FleetLock.Cli.Tests;

/// <summary><c>id</c> prints what Zincati would send.</summary>
public sealed class IdCommandTests : IDisposable
{
    private const string MachineId = "dfd7882acda64c34aca76193c46f5d4e";

    private readonly Ctl _ctl = new();

    public void Dispose() => _ctl.Dispose();

    [Theory]
    [InlineData(MachineId, "35ba2101ae3f4d45b96e9c51f461bbff")]
    [InlineData("37974b3f7dc54f949209b4fd5b3c5704", "f59c4fa7d80e406f83993d64abf922e3")]
    [InlineData("4473d601f9234ff2a84617c3eaeeea35", "7742030900754495bfeb49c7d1f4d653")]
    [InlineData("10c30367c3cb44eaaab432e552061395", "72fe241381444dee85d824b8ec33a70f")]
    [InlineData("DFD7882A-CDA6-4C34-ACA7-6193C46F5D4E", "35ba2101ae3f4d45b96e9c51f461bbff")]
    public async Task A_machine_id_gives_Zincatis_node_id(string machineId, string expected) =>
        AssertPrinted(expected, await _ctl.RunAsync("id", "--machine-id", machineId));

    [Fact]
    public async Task Another_application_id_gives_another_id() => AssertPrinted(
        Machine.Derive(MachineId, "00112233445566778899aabbccddeeff"),
        await _ctl.RunAsync("id", "--machine-id", MachineId, "--application-id", "00112233445566778899aabbccddeeff"));

    [Fact]
    public async Task Raw_is_the_machine_id_itself() =>
        AssertPrinted(MachineId, await _ctl.RunAsync("id", "--raw", "--machine-id", "DFD7882A-CDA6-4C34-ACA7-6193C46F5D4E"));

    [Fact]
    public async Task Without_options_it_is_derived_from_this_machines_id() =>
        AssertPrinted(Machine.RequireNodeId(), await _ctl.RunAsync("id"));

    [Fact]
    public async Task Raw_alone_is_this_machines_id() => AssertPrinted(Machine.RequireId(), await _ctl.RunAsync("id", "--raw"));

    private static void AssertPrinted(string id, Finished finished)
    {
        Assert.Equal([id], finished.OutputLines);
        Assert.Equal((0, ""), (finished.ExitCode, finished.Errors));
    }
}
