namespace FleetLock.Core.Tests;

/// <summary>Parameter, then environment, then default; and each value says where it came from.</summary>
[Trait("Lane", "Fast")]
public sealed class FleetLockConfigurationTests
{
    private static readonly MachineId Machine = MachineId.Parse("dfd7882acda64c34aca76193c46f5d4e");

    private static readonly Surroundings Nothing = new() { Environment = _ => null, ReadFile = _ => null, MachineId = () => (Machine, "/etc/machine-id") };

    private static readonly Dictionary<string, string?> Environment = new()
    {
        ["FLEETLOCK_URL"] = "http://of-environment.example",
        ["FLEETLOCK_GROUP"] = "of-environment",
        ["FLEETLOCK_ID"] = "id-of-environment",
    };

    [Fact]
    public void A_parameter_beats_the_environment()
    {
        var configuration = Resolve("http://given.example", "given", "id-given", Environment);

        Assert.Equal(new Setting(SettingName.Url, "http://given.example", "parameter"), configuration.Url);
        Assert.Equal(new Setting(SettingName.Group, "given", "parameter"), configuration.Group);
        Assert.Equal(new Setting(SettingName.Id, "id-given", "parameter"), configuration.Id);
    }

    [Fact]
    public void The_environment_beats_the_default()
    {
        var configuration = Resolve(environment: Environment);

        Assert.Equal(new Setting(SettingName.Url, "http://of-environment.example", "FLEETLOCK_URL"), configuration.Url);
        Assert.Equal(new Setting(SettingName.Group, "of-environment", "FLEETLOCK_GROUP"), configuration.Group);
        Assert.Equal(new Setting(SettingName.Id, "id-of-environment", "FLEETLOCK_ID"), configuration.Id);
    }

    [Fact]
    public void The_default_is_no_server_the_group_default_and_the_machines_id()
    {
        var configuration = Resolve();

        Assert.Equal(new Setting(SettingName.Url, null, "not set"), configuration.Url);
        Assert.Equal(new Setting(SettingName.Group, "default", "default"), configuration.Group);
        Assert.Equal(new Setting(SettingName.Id, "35ba2101ae3f4d45b96e9c51f461bbff", "derived from /etc/machine-id"), configuration.Id);
    }

    [Fact]
    public void Each_value_is_found_by_itself()
    {
        var configuration = Resolve(group: "given", environment: new() { ["FLEETLOCK_URL"] = "http://of-environment.example" });

        Assert.Equal("FLEETLOCK_URL", configuration.Url.Source);
        Assert.Equal("parameter", configuration.Group.Source);
        Assert.Equal("derived from /etc/machine-id", configuration.Id.Source);
    }

    [Fact]
    public void An_empty_variable_counts_as_not_set()
    {
        var configuration = Resolve(environment: new() { ["FLEETLOCK_URL"] = "", ["FLEETLOCK_GROUP"] = "", ["FLEETLOCK_ID"] = "" });

        Assert.Null(configuration.Url.Value);
        Assert.Equal("default", configuration.Group.Value);
        Assert.Equal("35ba2101ae3f4d45b96e9c51f461bbff", configuration.Id.Value);
    }

    [Fact]
    public void An_empty_parameter_is_an_error_and_does_not_fall_through()
    {
        var configuration = Resolve("", "", "", Environment);

        Assert.Equal("url", Assert.Throws<FleetLockInputException>(configuration.RequireServer).Setting);
        Assert.Equal("group", Assert.Throws<FleetLockInputException>(configuration.RequireGroup).Setting);
        Assert.Equal("id", Assert.Throws<FleetLockInputException>(configuration.RequireId).Setting);
    }

    [Fact]
    public void A_bad_value_is_an_error_and_does_not_fall_through()
    {
        var configuration = Resolve(environment: new() { ["FLEETLOCK_URL"] = "nonsense", ["FLEETLOCK_GROUP"] = "under_score", ["FLEETLOCK_ID"] = " " });

        Assert.Equal("url", Assert.Throws<FleetLockInputException>(configuration.RequireServer).Setting);
        Assert.Equal("group", Assert.Throws<FleetLockInputException>(configuration.RequireGroup).Setting);
        Assert.Equal("id", Assert.Throws<FleetLockInputException>(configuration.RequireId).Setting);
    }

    [Fact]
    public void A_missing_server_address_says_what_to_set()
    {
        var fault = Assert.Throws<FleetLockInputException>(() => Resolve().RequireServer());

        Assert.Equal("url", fault.Setting);
        Assert.Contains("-Uri", fault.Message, StringComparison.Ordinal);
        Assert.Contains("--url", fault.Message, StringComparison.Ordinal);
        Assert.Contains("FLEETLOCK_URL", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Good_values_are_given_as_they_are()
    {
        var configuration = Resolve(environment: Environment);

        Assert.Equal("http://of-environment.example", configuration.RequireServer().ToString());
        Assert.Equal("of-environment", configuration.RequireGroup());
        Assert.Equal("id-of-environment", configuration.RequireId());
    }

    [Fact]
    public void The_machine_id_is_looked_for_only_when_it_is_needed()
    {
        var lookups = 0;
        var given = FleetLockConfiguration.Resolve(new FleetLockSettings { Url = "http://given.example", Id = "given" }, Nothing with { MachineId = LookUp });
        var absent = FleetLockConfiguration.Resolve(new FleetLockSettings { Url = "http://given.example" }, Nothing with { MachineId = LookUp });

        given.RequireServer();
        given.RequireId();
        absent.RequireServer();
        absent.RequireGroup();
        Assert.Equal(0, lookups);

        absent.RequireId();
        absent.RequireId();
        Assert.Equal(1, lookups);

        (MachineId, string) LookUp()
        {
            lookups++;
            return (Machine, "a source");
        }
    }

    [Fact]
    public void A_machine_without_an_id_is_no_fault_until_it_is_asked_for()
    {
        var configuration = FleetLockConfiguration.Resolve(
            new FleetLockSettings { Url = "http://given.example" },
            Nothing with { MachineId = () => throw new FleetLockInputException("id", "no machine id") });

        Assert.Equal("http://given.example", configuration.RequireServer().ToString());
        Assert.Equal("id", Assert.Throws<FleetLockInputException>(configuration.RequireId).Setting);
        Assert.Equal("id", Assert.Throws<FleetLockInputException>(() => configuration.Id).Setting);
    }

    private static FleetLockConfiguration Resolve(string? url = null, string? group = null, string? id = null, Dictionary<string, string?>? environment = null) =>
        FleetLockConfiguration.Resolve(new FleetLockSettings { Url = url, Group = group, Id = id }, Nothing with { Environment = name => environment?.GetValueOrDefault(name) });
}
