# Dot-sourced: the one place where scripts find the engine under test. It is the one that FLEETLOCK_TEST_PWSH names, or the one that the
# build restores. It is never the path of this process, which is dotnet's where PowerShell is a .NET tool.

if (-not $env:FLEETLOCK_TEST_PWSH) {
    $env:FLEETLOCK_TEST_PWSH = (Get-Content (Join-Path $PSScriptRoot '../out/engine.json') -ErrorAction Stop | ConvertFrom-Json).engine
}
# A run that names an engine is never a run of another.
if (-not [IO.Path]::IsPathRooted($env:FLEETLOCK_TEST_PWSH) -or -not (Test-Path -LiteralPath $env:FLEETLOCK_TEST_PWSH -PathType Leaf)) {
    throw "FLEETLOCK_TEST_PWSH is '$env:FLEETLOCK_TEST_PWSH', which is not the full path of a PowerShell engine."
}
$EngineProgram, $EngineArguments = if ($env:FLEETLOCK_TEST_PWSH -notlike '*.dll') { $env:FLEETLOCK_TEST_PWSH, @() }
else { (Get-Command dotnet -CommandType Application)[0].Source, @($env:FLEETLOCK_TEST_PWSH) }

# Runs an engine of its own to its end, and returns what it writes; its exit code is in $LASTEXITCODE.
function Invoke-Engine {
    & $EngineProgram @EngineArguments -NoProfile -NonInteractive -NoLogo @args
}
