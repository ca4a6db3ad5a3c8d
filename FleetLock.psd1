@{
    RootModule             = 'FleetLock.psm1'
    ModuleVersion          = '0.1.0'
    GUID                   = '692ce49f-fff3-4dc1-94eb-739d98ecc0d3'
    Author                 = 'The FleetLock developers'
    CompanyName            = 'The FleetLock developers'
    Copyright              = 'Copyright The FleetLock developers. Licensed under Apache-2.0.'
    Description            = 'Keeps a fleet from rebooting all at once: takes a slot of a group before a machine reboots or is maintained, and gives it back when the machine is healthy again. Speaks the FleetLock protocol (Zincati''s) to every FleetLock server.'
    CompatiblePSEditions   = @('Core', 'Desktop')
    PowerShellVersion      = '5.1'
    DotNetFrameworkVersion = '4.7.2'
    TypesToProcess         = @('FleetLock.Types.ps1xml')
    FormatsToProcess       = @('FleetLock.Format.ps1xml')
    FunctionsToExport      = @()
    CmdletsToExport        = @('Confirm-FleetStoreRestore', 'Get-FleetGroup', 'Get-FleetLockConfiguration', 'Get-FleetNodeId', 'Invoke-FleetLock', 'Lock-FleetGroup', 'Set-FleetGroup', 'Start-FleetLockServer', 'Stop-FleetLockServer', 'Test-FleetLock', 'Unlock-FleetGroup')
    VariablesToExport      = @()
    AliasesToExport        = @()
    PrivateData            = @{
        PSData = @{
            Tags         = @('FleetLock', 'Zincati', 'reboot', 'maintenance', 'patching', 'semaphore', 'lock', 'PSEdition_Core', 'PSEdition_Desktop', 'Linux', 'Windows', 'MacOS')
            LicenseUri   = 'https://www.apache.org/licenses/LICENSE-2.0'
            ProjectUri   = 'https://github.com/fleetlock/fleetlock'
            ReleaseNotes = 'https://github.com/fleetlock/fleetlock/blob/main/CHANGELOG.md'
        }
    }
}
