<#
.SYNOPSIS
    Builds or tests FleetLock. A thin wrapper: the work is in the projects, and `dotnet build` and `dotnet test` do the same.
.EXAMPLE
    ./build.ps1
    Builds; the importable module is then in out/FleetLock, the command line in out/fleetlockctl.
.EXAMPLE
    ./build.ps1 -Task Test
    Builds and runs all tests.
#>
[CmdletBinding()]
param(
    [ValidateSet('Build', 'Test')]
    [string] $Task = 'Build',

    [ValidateSet('Debug', 'Release')]
    [string] $Configuration = 'Debug'
)

$ErrorActionPreference = 'Stop'
Push-Location $PSScriptRoot
try {
    dotnet $Task.ToLowerInvariant() --configuration $Configuration
    if ($LASTEXITCODE) { throw "dotnet $($Task.ToLowerInvariant()) failed with exit code $LASTEXITCODE." }
}
finally {
    Pop-Location
}
