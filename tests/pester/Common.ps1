# Dot-sourced in each file's BeforeAll: the module as `dotnet build` lays it out, the real server, and a peer made of literal bytes.

$ErrorActionPreference = 'Stop'
$RepositoryRoot = Split-Path (Split-Path $PSScriptRoot)
$ModulePath = Join-Path $RepositoryRoot 'out/FleetLock/FleetLock.psd1'
$TestKitPath = if ($env:FLEETLOCK_TESTKIT) { $env:FLEETLOCK_TESTKIT } else { Join-Path $RepositoryRoot 'tests/FleetLock.TestKit/bin/Debug/net8.0/FleetLock.TestKit.dll' }

Import-Module $ModulePath
Add-Type -Path $TestKitPath
foreach ($name in 'FLEETLOCK_URL', 'FLEETLOCK_GROUP', 'FLEETLOCK_ID') {
    [Environment]::SetEnvironmentVariable($name, $null)
}

# The real server, as a process of its own, on a free port. Stop it with Stop-TestServer.
function Start-TestServer {
    param([string[]] $Group = 'default=1')

    $start = [Diagnostics.ProcessStartInfo]::new('dotnet')
    $start.RedirectStandardOutput = $true
    $start.RedirectStandardError = $true
    $start.UseShellExecute = $false
    $start.ArgumentList.Add((Join-Path $RepositoryRoot 'out/fleetlockctl/fleetlockctl.dll'))
    foreach ($argument in 'serve', '--listen', 'http://127.0.0.1:0', '--data', ':memory:') { $start.ArgumentList.Add($argument) }
    foreach ($one in $Group) { $start.ArgumentList.Add('--group'); $start.ArgumentList.Add($one) }

    $process = [Diagnostics.Process]::Start($start)
    $errors = $process.StandardError.ReadToEndAsync()
    $line = $process.StandardOutput.ReadLine()
    if ($line -notmatch 'Listening on (\S+)') { throw "The server did not start: $line $($errors.Result)" }
    [pscustomobject]@{ Uri = $Matches[1]; Process = $process }
}

function Stop-TestServer {
    param($Server)

    $Server.Process.Kill()
    $Server.Process.WaitForExit()
    $Server.Process.Dispose()
}

# An HTTP answer for New-RawServer.
function New-Answer {
    param([int] $Status, [string] $Body = '', [string[]] $Header = @())

    [FleetLock.TestKit.RawAnswer]::Http($Status, $Body, $Header)
}

# A listener that records requests and answers literal bytes; the last answer repeats. Stop it with Stop-RawServer.
function New-RawServer {
    param([FleetLock.TestKit.RawAnswer[]] $Answer = @(New-Answer 200))

    [FleetLock.TestKit.RawServer]::new($Answer)
}

function Stop-RawServer {
    param($Server)

    $Server.DisposeAsync().AsTask().GetAwaiter().GetResult()
}

# Runs a script in an engine of its own, waits until the peer has been asked, stops the pipeline as Ctrl+C does, and returns what it wrote.
function Invoke-Stopped {
    param([string] $Script, $RawServer)

    $shell = [powershell]::Create()
    try {
        $null = $shell.AddScript("Import-Module '$ModulePath'; $Script")
        $output = [Management.Automation.PSDataCollection[psobject]]::new()
        $running = $shell.BeginInvoke([Management.Automation.PSDataCollection[psobject]]::new(), $output)
        if (-not $RawServer.Asked.Wait([timespan]::FromSeconds(30))) { throw "No request was sent: $($shell.Streams.Error)" }
        $shell.Stop()
        [pscustomobject]@{ State = $shell.InvocationStateInfo.State; Output = @($output); Errors = @($shell.Streams.Error); Completed = $running.IsCompleted }
    }
    finally {
        $shell.Dispose()
    }
}
