<#
.SYNOPSIS
    Publishes the package to a folder, installs it from there, and takes the walk-through with what is installed. Ends with 77 where there is no PSResourceGet.
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory)] [string] $Package,
    [Parameter(Mandatory)] [string] $Folder
)

$ErrorActionPreference = 'Stop'
$Folder = (New-Item $Folder -ItemType Directory -Force).FullName
if (-not (Get-Module -ListAvailable Microsoft.PowerShell.PSResourceGet)) {
    'Microsoft.PowerShell.PSResourceGet is not installed.'
    exit 77
}

# The lists of repositories are per user: this one's stay as they are. A folder that is not there would stand for the current one.
$env:XDG_DATA_HOME = $env:LOCALAPPDATA = (New-Item (Join-Path $Folder 'data') -ItemType Directory).FullName
$env:XDG_CONFIG_HOME = $env:APPDATA = (New-Item (Join-Path $Folder 'config') -ItemType Directory).FullName
$source = New-Item (Join-Path $Folder 'source') -ItemType Directory
$target = New-Item (Join-Path $Folder 'modules') -ItemType Directory
Copy-Item $Package $source
$name = "fleetlock-$PID"
Register-PSResourceRepository -Name $name -Uri $source.FullName -Trusted
try {
    $found = Find-PSResource FleetLock -Repository $name
    if ($found.Name -ne 'FleetLock' -or $found.Type -ne 'Module') { throw "The repository shows $($found | Out-String)" }
    Save-PSResource FleetLock -Repository $name -Path $target.FullName
}
finally {
    Unregister-PSResourceRepository $name
}

& $PSScriptRoot/Invoke-WalkThrough.ps1 -ModuleFolder $target.FullName
