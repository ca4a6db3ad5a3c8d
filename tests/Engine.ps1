# Dot-sourced: the one place where scripts find the engine under test. It is the one that FLEETLOCK_TEST_PWSH names, or the one that the
# build restores. It is never the path of this process, which is dotnet's where PowerShell is a .NET tool.

if (-not $env:FLEETLOCK_TEST_PWSH) {
    $env:FLEETLOCK_TEST_PWSH = (Get-Content (Join-Path $PSScriptRoot '../out/engine.json') -ErrorAction Stop | ConvertFrom-Json).engine
}
$EngineProgram, $EngineArguments = if ($env:FLEETLOCK_TEST_PWSH -notlike '*.dll') { $env:FLEETLOCK_TEST_PWSH, @() }
else { (Get-Command dotnet -CommandType Application)[0].Source, @($env:FLEETLOCK_TEST_PWSH) }

# Runs an engine of its own to its end, and returns what it writes; its exit code is in $LASTEXITCODE.
function Invoke-Engine {
    & $EngineProgram @EngineArguments -NoProfile -NonInteractive -NoLogo @args
}
