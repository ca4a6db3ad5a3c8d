using System.Security.Cryptography;
using System.Text;

namespace FleetLock.Core.Tests;

/// <summary>The node id is Zincati's, byte for byte.</summary>
[Trait("Lane", "Fast")]
public sealed class NodeIdTests
{
    private const string FirstMachineId = "dfd7882acda64c34aca76193c46f5d4e";

    public static readonly TheoryData<string, string> Vectors = new()
    {
        { FirstMachineId, "35ba2101ae3f4d45b96e9c51f461bbff" },
        { "37974b3f7dc54f949209b4fd5b3c5704", "f59c4fa7d80e406f83993d64abf922e3" },
        { "4473d601f9234ff2a84617c3eaeeea35", "7742030900754495bfeb49c7d1f4d653" },
        { "10c30367c3cb44eaaab432e552061395", "72fe241381444dee85d824b8ec33a70f" },
    };

    [Theory]
    [MemberData(nameof(Vectors))]
    public void The_node_id_is_what_systemd_and_Zincati_derive(string machineId, string nodeId)
    {
        Assert.Equal(nodeId, NodeId.Derive(MachineId.Parse(machineId)));
        Assert.Equal(nodeId, NodeId.Derive(MachineId.Parse(Guid.Parse(machineId).ToString("B").ToUpperInvariant())));
        Assert.Equal(nodeId, NodeId.Derive(MachineId.Parse(machineId), NodeId.ZincatiApplicationId));
    }

    [Fact]
    public void It_is_not_the_id_that_the_mixed_endian_bytes_of_a_Guid_would_give()
    {
        var wrong = DeriveFrom(Guid.Parse(FirstMachineId).ToByteArray());

        Assert.Equal("7098e0e196454048935b18a957348347", wrong);
        Assert.NotEqual(wrong, NodeId.Derive(MachineId.Parse(FirstMachineId)));
    }

    [Fact]
    public void It_is_not_the_id_that_the_text_in_ASCII_would_give()
    {
        var wrong = DeriveFrom(Encoding.ASCII.GetBytes(FirstMachineId));

        Assert.Equal("7cce401ee2d94fc8a33140916358d3f5", wrong);
        Assert.NotEqual(wrong, NodeId.Derive(MachineId.Parse(FirstMachineId)));
    }

    [Fact]
    public void Another_application_has_another_id()
    {
        var other = NodeId.Derive(MachineId.Parse(FirstMachineId), "0123456789abcdef0123456789abcdef");

        Assert.NotEqual(NodeId.Derive(MachineId.Parse(FirstMachineId)), other);
        Assert.Matches("^[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}$", other);
    }

    [Theory]
    [InlineData("")]
    [InlineData("zincati")]
    [InlineData("de35106b6ec24688b63afddaa156679")]
    public void A_bad_application_id_is_refused_by_name(string applicationId)
    {
        var fault = Assert.Throws<FleetLockInputException>(() => NodeId.Derive(MachineId.Parse(FirstMachineId), applicationId));

        Assert.Equal("application id", fault.Setting);
    }

    [Fact]
    public void The_node_id_does_not_give_the_machine_id_away() =>
        Assert.All(Vectors.Select(row => row.Data), row => Assert.DoesNotContain(row.Item1[..8], row.Item2, StringComparison.Ordinal));

    private static string DeriveFrom(byte[] key)
    {
        var digest = HMACSHA256.HashData(key, Convert.FromHexString(NodeId.ZincatiApplicationId))[..16];
        digest[6] = (byte)((digest[6] & 0x0F) | 0x40);
        digest[8] = (byte)((digest[8] & 0x3F) | 0x80);
        return Convert.ToHexStringLower(digest);
    }
}
