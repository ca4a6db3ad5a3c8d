# Each edition has an assembly of its own. The choice is made here, so that the manifest is plain data for the tools that rewrite it.
if ($PSEdition -eq 'Core') { Microsoft.PowerShell.Core\Import-Module $PSScriptRoot/net8.0/FleetLock.PowerShell.dll -ErrorAction Stop }
else { Microsoft.PowerShell.Core\Import-Module $PSScriptRoot/net472/FleetLock.PowerShell.dll -ErrorAction Stop }
