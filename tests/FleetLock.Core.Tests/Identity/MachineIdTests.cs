namespace FleetLock.Core.Tests;

/// <summary>What is a machine id, and what only looks like one.</summary>
[Trait("Lane", "Fast")]
public sealed class MachineIdTests
{
    private const string Plain = "dfd7882acda64c34aca76193c46f5d4e";

    public static readonly TheoryData<string> Spellings =
    [
        Plain,
        "DFD7882ACDA64C34ACA76193C46F5D4E",
        "dfd7882a-cda6-4c34-aca7-6193c46f5d4e",
        "{DFD7882A-CDA6-4C34-ACA7-6193C46F5D4E}",
        Plain + "\n",
        " \t" + Plain + "\r\n",
    ];

    public static readonly TheoryData<string> NoMachineIds =
    [
        null!,
        "",
        " \n",
        "{}",
        "uninitialized",
        "uninitialized\n",
        "00000000000000000000000000000000",
        "00000000-0000-0000-0000-000000000000",
        "dfd7882acda64c34aca76193c46f5d4",
        "dfd7882acda64c34aca76193c46f5d4e0",
        "dfd7882acda64c34aca76193c46f5d4g",
        "dfd7882acda64c34 ca76193c46f5d4e",
        "٠١٢٣٤٥٦٧٨٩٠١٢٣٤٥٦٧٨٩٠١٢٣٤٥٦٧٨٩٠١",
        "<!DOCTYPE html>",
        "\u001b[31mnot an id",
    ];

    [Theory]
    [MemberData(nameof(Spellings))]
    public void The_spellings_of_all_platforms_are_the_same_id(string text) => Assert.Equal(Plain, MachineId.Parse(text).ToString());

    [Theory]
    [MemberData(nameof(NoMachineIds))]
    public void What_is_no_machine_id_is_refused(string? text)
    {
        var fault = Assert.Throws<FleetLockInputException>(() => MachineId.Parse(text!));

        Assert.Equal("machine id", fault.Setting);
        Assert.True(TerminalText.IsPrintable(fault.Message), fault.Message);
    }

    [Fact]
    public void The_bytes_are_in_the_order_of_the_text()
    {
        var bytes = MachineId.Parse("00112233-4455-6677-8899-aabbccddeeff").ToByteArray();

        Assert.Equal(Convert.FromHexString("00112233445566778899aabbccddeeff"), bytes);
    }

    [Fact]
    public void The_bytes_are_a_copy()
    {
        var id = MachineId.Parse(Plain);

        Array.Clear(id.ToByteArray());

        Assert.Equal(Plain, id.ToString());
    }
}
