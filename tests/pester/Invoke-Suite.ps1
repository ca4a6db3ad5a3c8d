<#
.SYNOPSIS
    Runs one Pester file, or all of them, against the module that `dotnet build` has laid out, and exits with 1 if anything failed.
.DESCRIPTION
    After `dotnet build` it needs neither a PowerShell nor a Pester of this machine: `dotnet pwsh` is the .NET tool that the build has restored, and
    Pester the package. In another engine, start that one: the engines that tests start are the one that FLEETLOCK_TEST_PWSH names, the build's otherwise.
.EXAMPLE
    dotnet pwsh -NoProfile -File tests/pester/Invoke-Suite.ps1 -Path tests/pester/Lock-FleetGroup.Tests.ps1
.EXAMPLE
    $env:FLEETLOCK_TEST_PWSH = '/opt/microsoft/powershell/7/pwsh'; & $env:FLEETLOCK_TEST_PWSH -NoProfile -File tests/pester/Invoke-Suite.ps1
#>
[CmdletBinding()]
param(
    # The file to run; the whole folder if not given.
    [string] $Path = $PSScriptRoot,

    # Where to write the results, as NUnit's XML. What is skipped is in a file of lines beside it, with the reasons, which that XML has no place for.
    [string] $ResultPath
)

$ErrorActionPreference = 'Stop'
Import-Module (Get-Content (Join-Path $PSScriptRoot '../../out/engine.json') | ConvertFrom-Json).pester

$configuration = New-PesterConfiguration
$configuration.Run.Path = $Path
$configuration.Run.PassThru = $true
$configuration.Output.Verbosity = 'Detailed'
$configuration.Output.RenderMode = 'Plaintext'
if ($ResultPath) {
    $configuration.TestResult.Enabled = $true
    $configuration.TestResult.OutputPath = $ResultPath
    $configuration.TestResult.OutputFormat = 'NUnitXml'
}

$run = Invoke-Pester -Configuration $configuration
if ($ResultPath) {
    $run.Skipped | ForEach-Object {
        $reason = if ("$($_.ErrorRecord)" -match 'because (.*)') { $Matches[1] } else { 'no reason is given' }
        "$(Split-Path $_.ScriptBlock.File -Leaf)`t$reason"
    } | Set-Content ([IO.Path]::ChangeExtension($ResultPath, '.skipped'))
}

# The engine that it ran in, for whoever reads the log.
"PowerShell $($PSVersionTable.PSVersion) ($($PSVersionTable.PSEdition)), Pester $((Get-Module Pester).Version)"
exit [int]($run.Result -ne 'Passed')
