<#
.SYNOPSIS
    A real server and a new engine that has the module on its path and has been told nothing else: one slot, granted, refused, released.
#>
[CmdletBinding()]
param(
    # The folder with the module's folder in it.
    [Parameter(Mandatory)] [string] $ModuleFolder
)

$ErrorActionPreference = 'Stop'
. $PSScriptRoot/../Engine.ps1
$start = [Diagnostics.ProcessStartInfo]::new('dotnet', "`"$PSScriptRoot/../../out/fleetlockctl/fleetlockctl.dll`" serve --listen http://127.0.0.1:0 --data :memory: --group workers=1")
$start.RedirectStandardOutput = $true
$start.UseShellExecute = $false
$server = [Diagnostics.Process]::Start($start)
$before = $env:FLEETLOCK_URL, $env:FLEETLOCK_CONFIG, $env:PSModulePath
try {
    $line = $server.StandardOutput.ReadLine()
    if ($line -notmatch 'Listening on (\S+)') { throw "The server did not start: $line" }
    $env:FLEETLOCK_URL = $Matches[1]
    $env:FLEETLOCK_CONFIG = ''
    $env:PSModulePath = $ModuleFolder + [IO.Path]::PathSeparator + $env:PSModulePath
    Invoke-Engine -Command {
        param($folder)
        $ErrorActionPreference = 'Stop'
        $granted = Lock-FleetGroup -Group workers -Id first
        if ((Get-Module FleetLock).Path -notlike "$folder*") { throw "The module came from $((Get-Module FleetLock).Path)" }
        $other = Lock-FleetGroup -Group workers -Id second -ErrorAction SilentlyContinue -ErrorVariable refused
        $released = Unlock-FleetGroup -Group workers -Id first -PassThru
        if ($other) { throw 'The second machine was told that it holds the slot.' }
        if ($refused[0].FullyQualifiedErrorId -notlike 'FleetGroupBusy,*') { throw "$($refused[0].FullyQualifiedErrorId)" }
        if ($released.Status -ne 'Released') { throw "$released" }
        if ($granted.Status -ne 'Granted') { throw "$granted" }
        if ((Get-Help Lock-FleetGroup).examples.example.Count -lt 3) { throw 'The help of Lock-FleetGroup is not found.' }
        if ((Get-Help about_FleetLock) -notmatch 'THE TWO PROMISES') { throw 'The topic about_FleetLock is not found.' }
        'granted, refused, released'
    } -args $ModuleFolder
    $ended = $LASTEXITCODE
}
finally {
    $env:FLEETLOCK_URL, $env:FLEETLOCK_CONFIG, $env:PSModulePath = $before
    $server.Kill()
    $server.WaitForExit()
}

exit $ended
