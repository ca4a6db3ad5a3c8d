using System.Management.Automation;

namespace FleetLock.PowerShell.Commands;

/// <summary><c>Get-FleetLockConfiguration</c>: the settings in force, and where each came from. A secret is only "set".</summary>
[Cmdlet(VerbsCommon.Get, "FleetLockConfiguration")]
[OutputType(typeof(SettingInForce))]
public sealed class GetFleetLockConfigurationCommand : FleetLockCommandBase
{
    /// <summary>The settings to show, such as <c>Url</c>; all if not given.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true)]
    [ValidateNotNullOrEmpty]
    public SettingName[]? Name { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        try
        {
            var configuration = FleetLockConfiguration.Resolve();
            foreach (var setting in configuration.All())
            {
                if (Name is null || System.Array.IndexOf(Name, setting.Name) >= 0)
                    WriteObject(new SettingInForce(setting.Name.ToString(), setting.Shown, setting.Source));
            }

            // After the list, which says where the invalid value came from.
            if (Name is null)
                configuration.RequireValid();
        }
        catch (FleetLockInputException e)
        {
            WriteError(ErrorRecords.From(e));
        }
    }
}
