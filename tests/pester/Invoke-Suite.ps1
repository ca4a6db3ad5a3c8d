<#
.SYNOPSIS
    Runs one Pester file, or all of them, against the module that `dotnet build` has laid out, and exits with 1 if anything failed.
.DESCRIPTION
    After `dotnet build` it needs neither a PowerShell nor a Pester of this machine. `dotnet pwsh` is the .NET tool that the build restores,
    and Pester is a package. To run in another engine, start that engine and name it in FLEETLOCK_TEST_PWSH: tests start further engines from there.
.EXAMPLE
    dotnet pwsh -NoProfile -File tests/pester/Invoke-Suite.ps1 -Path tests/pester/Lock-FleetGroup.Tests.ps1
    `dotnet test` keeps an engine for several files, because a new one spends seconds on Pester before the first test. Each file has a
    runspace of its own in it: neither modules nor variables of another file. The environment, and how output is
    rendered, are put back after each.
.EXAMPLE
    $env:FLEETLOCK_TEST_PWSH = '/opt/microsoft/powershell/7/pwsh'; & $env:FLEETLOCK_TEST_PWSH -NoProfile -File tests/pester/Invoke-Suite.ps1
#>
[CmdletBinding()]
param(
    # The file to run; the whole folder if not given.
    [string] $Path = $PSScriptRoot,

    # Where to write the results, as NUnit's XML. That XML has no place for the reason why a test is skipped: those are in a file beside it.
    [string] $ResultPath,

    # The pipe by which `dotnet test` names what to run, a line each: the file, its result file, and the word to end its output with.
    [string] $Pipe
)

$ErrorActionPreference = 'Stop'

if ($Pipe) {
    $channel = [IO.Pipes.NamedPipeClientStream]::new('.', $Pipe, 'In')
    $channel.Connect()
    $lines = [IO.StreamReader]::new($channel)

    # Read once for the whole process, so not while a test has set it for an engine that it starts.
    foreach ($name in 'HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY') {
        [Environment]::SetEnvironmentVariable($name, $null)
        [Environment]::SetEnvironmentVariable($name.ToLowerInvariant(), $null)
    }
    if ($PSEdition -eq 'Core') { $null = [Net.Http.HttpClient]::DefaultProxy }
    $environment = [Environment]::GetEnvironmentVariables()

    # One for the whole process, whichever runspace changes it.
    $rendering = if ($PSStyle) { $PSStyle.OutputRendering }
    while ($null -ne ($line = $lines.ReadLine())) {
        $file, $result, $end = $line -split "`t"
        $runspace = [runspacefactory]::CreateRunspace($Host)
        $runspace.ThreadOptions = 'UseCurrentThread'
        $runspace.Open()
        $shell = [powershell]::Create($runspace)
        $null = $shell.AddScript('param($suite, $file, $result) & $suite -Path $file -ResultPath $result | Out-Host; $LASTEXITCODE')
        $null = $shell.AddArgument($PSCommandPath).AddArgument($file).AddArgument($result)
        $exitCode = 1
        try { $exitCode = $shell.Invoke()[-1] } catch { "$_" }
        $shell.Dispose()
        $runspace.Dispose()

        foreach ($name in @([Environment]::GetEnvironmentVariables().Keys) + $environment.Keys) {
            [Environment]::SetEnvironmentVariable($name, $environment[$name])
        }
        if ($PSStyle) { $PSStyle.OutputRendering = $rendering }
        "$end $exitCode"
    }
    exit
}

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
