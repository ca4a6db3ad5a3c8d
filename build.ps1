<#
.SYNOPSIS
    Builds, tests, packs or installs FleetLock. A thin wrapper: the work is in the projects, and nothing of it needs PowerShell.
.EXAMPLE
    ./build.ps1
    Builds; the importable module is then in out/FleetLock, the command line in out/fleetlockctl.
.EXAMPLE
    ./build.ps1 -Task Test
    Builds and runs all tests.
.EXAMPLE
    ./build.ps1 -Task Package
    Makes what the Gallery and nuget.org take, from an empty folder: out/package/FleetLock.VERSION.nupkg and FleetLock.Core.VERSION.nupkg.
.EXAMPLE
    ./build.ps1 -Task Archive -Runtime portable, linux-x64
    Makes the archives of fleetlockctl and their checksums in out/archives.
.EXAMPLE
    ./build.ps1 -Task Help
    Makes the help files of docs/en-US from the markdown there. It takes Microsoft.PowerShell.PlatyPS 1.0.3.
.EXAMPLE
    ./build.ps1 -Task Install
    Builds the module and copies it to where this user's modules are.
#>
[CmdletBinding()]
param(
    [ValidateSet('Build', 'Test', 'Package', 'Archive', 'Help', 'Install')]
    [string] $Task = 'Build',

    # Release by default for what leaves this checkout.
    [ValidateSet('Debug', 'Release')]
    [string] $Configuration = $(if ($Task -in 'Build', 'Test') { 'Debug' } else { 'Release' }),

    # For Archive: portable, which needs the .NET runtime, and runtime identifiers, which bring it with them.
    [string[]] $Runtime = @('portable')
)

$ErrorActionPreference = 'Stop'

function Invoke-DotNet {
    dotnet @args --configuration $Configuration
    if ($LASTEXITCODE) { throw "dotnet $args failed with exit code $LASTEXITCODE." }
}

function Clear-Output {
    foreach ($folder in $args) {
        if (Test-Path "out/$folder") { Remove-Item "out/$folder" -Recurse -Force }
    }
}

Push-Location $PSScriptRoot
try {
    switch ($Task) {
        'Build' { Invoke-DotNet build }
        'Test' { Invoke-DotNet test }
        'Package' {
            Clear-Output FleetLock package
            Invoke-DotNet build src/FleetLock.Package
            Invoke-DotNet pack src/FleetLock.Core --output out/package
        }
        'Archive' {
            Clear-Output fleetlockctl archives
            Invoke-DotNet build src/FleetLock.Package --target:Archive "-p:ArchiveRuntimes=$($Runtime -split ',' -join '%3B')"
        }
        'Help' { & ./docs/ConvertTo-Help.ps1 }
        'Install' {
            Clear-Output FleetLock package
            Invoke-DotNet build src/FleetLock.Package
            $modules = if ($PSEdition -eq 'Desktop') { Join-Path ([Environment]::GetFolderPath('MyDocuments')) 'WindowsPowerShell/Modules' }
            elseif ($IsWindows) { Join-Path ([Environment]::GetFolderPath('MyDocuments')) 'PowerShell/Modules' }
            else { Join-Path ([Environment]::GetFolderPath('LocalApplicationData')) 'powershell/Modules' }
            $target = Join-Path $modules "FleetLock/$((Test-ModuleManifest out/FleetLock/FleetLock.psd1).Version)"
            if (Test-Path $target) { Remove-Item $target -Recurse -Force }
            $null = New-Item $target -ItemType Directory -Force
            Copy-Item out/FleetLock/* $target -Recurse
            "FleetLock is installed in $target"
        }
    }
}
finally {
    Pop-Location
}
