<#
.SYNOPSIS
    Runs one Pester file, or all of them, against the module that `dotnet build` has laid out, and exits with 1 if anything failed.
.EXAMPLE
    pwsh -NoProfile -File tests/pester/Invoke-Suite.ps1
#>
[CmdletBinding()]
param(
    # The file to run; the whole folder if not given.
    [string] $Path = $PSScriptRoot,

    # Where to write the results, as NUnit's XML.
    [string] $ResultPath
)

$ErrorActionPreference = 'Stop'
Import-Module Pester -MinimumVersion 5.0

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

# The engine that it ran in, for whoever reads the log.
"PowerShell $($PSVersionTable.PSVersion) ($($PSVersionTable.PSEdition)), Pester $((Get-Module Pester).Version)"
exit [int]($run.Result -ne 'Passed')
