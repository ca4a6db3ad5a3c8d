# Dot-sourced in each file's BeforeAll: the module as `dotnet build` lays it out, the real server, and a peer made of literal bytes.

$ErrorActionPreference = 'Stop'
$RepositoryRoot = Split-Path (Split-Path $PSScriptRoot)
$ModulePath = Join-Path $RepositoryRoot 'out/FleetLock/FleetLock.psd1'
$TestKitPath = if ($env:FLEETLOCK_TESTKIT) { $env:FLEETLOCK_TESTKIT } else { Join-Path $RepositoryRoot 'tests/FleetLock.TestKit/bin/Debug/net8.0/FleetLock.TestKit.dll' }

. $RepositoryRoot/tests/Engine.ps1
Import-Module $ModulePath
Add-Type -Path $TestKitPath

# Nothing of this machine's own settings: no variables, no proxy, no configuration file of the user's.
$ofMachine = @((Get-ChildItem env:FLEETLOCK_* -Exclude FLEETLOCK_TESTKIT, FLEETLOCK_TEST_PWSH).Name)
foreach ($name in $ofMachine + 'HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy') {
    if ($name) { [Environment]::SetEnvironmentVariable($name, $null) }
}
$env:XDG_CONFIG_HOME = Join-Path $TestDrive 'no-configuration'

# Nor the folder of its runs: what a test leaves there would be adopted.
$env:FLEETLOCK_STATE_DIRECTORY = Join-Path $TestDrive 'runs'

# When a test is taken to hang. It is far longer than anything takes on a busy machine, and ends nothing else.
$Hang = [FleetLock.TestKit.TestTimeout]::Hang

# How long something may take for which a person waits (FleetLock.InteractiveLimits). Nobody waits for a test, and a busy machine is to decide nothing.
function Set-InteractiveLimit {
    param([string] $Name, [double] $Sec = 3600)

    [AppDomain]::CurrentDomain.SetData("FleetLock.${Name}Sec", $Sec)
}

# As it is for people.
function Reset-InteractiveLimit {
    param([string] $Name)

    [AppDomain]::CurrentDomain.SetData("FleetLock.${Name}Sec", $null)
}

'InterruptedRelease', 'HolderLookup', 'Completion', 'CompletionFreshness', 'ServerStop' | ForEach-Object { Set-InteractiveLimit $_ }

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
    param(
        [FleetLock.TestKit.RawAnswer[]] $Answer = @(New-Answer 200),

        # For https.
        [Security.Cryptography.X509Certificates.X509Certificate2] $Certificate,

        # Asks for a client's certificate, and accepts any.
        [switch] $AsksForCertificate
    )

    if (-not $AsksForCertificate) { return [FleetLock.TestKit.RawServer]::new($Certificate, $Answer) }
    [FleetLock.TestKit.RawServer]::new([FleetLock.TestKit.RawAnswer]::InTurn($Answer), [FleetLock.TestKit.TestAuthority]::AskingForCertificates($Certificate))
}

# The same for those who wait: the list of the groups, which they ask for meanwhile, has an answer of its own.
function New-ListingServer {
    param([FleetLock.TestKit.RawAnswer[]] $Answer, [FleetLock.TestKit.RawAnswer] $List = (New-Answer 404 ''))

    [FleetLock.TestKit.ListingServer]::Start($List, $Answer)
}

function Stop-RawServer {
    param($Server)

    $Server.DisposeAsync().AsTask().GetAwaiter().GetResult()
}

# The ids that hold a slot of a group of the real server.
function Get-Holder {
    param($Server, [string] $Group)

    @(((Invoke-RestMethod "$($Server.Uri)/v1/groups").groups | Where-Object group -EQ $Group).holders.id | Where-Object { $_ })
}

# The request lines that a RawServer has seen, without method and version: what was asked, in order.
function Get-Asked {
    param($RawServer)

    @($RawServer.Requests | ForEach-Object { $_.Line -replace '^\S+ | HTTP/1.1$' })
}

# The same without the list, which is asked for beside the tries.
function Get-Tried {
    param($RawServer)

    @(Get-Asked $RawServer | Where-Object { $_ -ne '/v1/groups' })
}

# The grant id of the first request.
function Get-GrantId {
    param($RawServer)

    @($RawServer.Requests)[0].Header('FleetLock-Grant')
}

# For what happens on another thread or in another process, and has no event of its own.
function Wait-Until {
    param([scriptblock] $Condition)

    $clock = [Diagnostics.Stopwatch]::StartNew()
    while (-not (& $Condition)) {
        if ($clock.Elapsed -gt $Hang) { throw "It never came to this: $Condition" }
        [Threading.Thread]::Sleep(10)
    }
}

# Runs a script in an engine of its own, beside this one. End it with Complete-Script or Stop-Script.
function Start-Script {
    param([string] $Script, [hashtable] $Variable = @{})

    $shell = [powershell]::Create()
    foreach ($name in $Variable.Keys) { $shell.Runspace.SessionStateProxy.SetVariable($name, $Variable[$name]) }
    $null = $shell.AddScript("Import-Module '$ModulePath'; $Script")
    $nothing = [Management.Automation.PSDataCollection[psobject]]::new()
    $nothing.Complete()
    $output = [Management.Automation.PSDataCollection[psobject]]::new()
    [pscustomobject]@{ Shell = $shell; Streams = $shell.Streams; Output = $output; Running = $shell.BeginInvoke($nothing, $output) }
}

# Waits for the end of a script, and returns what it wrote.
function Complete-Script {
    param($Running)

    try {
        if (-not $Running.Running.AsyncWaitHandle.WaitOne($Hang)) { throw "The script did not end: $($Running.Streams.Error)" }
        Get-ScriptRecord $Running
    }
    finally {
        $Running.Shell.Dispose()
    }
}

# Stops a script as Ctrl+C does, and returns what it wrote. That it stops is proved by scripts that would not end by themselves.
function Stop-Script {
    param($Running)

    $stop = $Running.Shell.BeginStop($null, $null)
    if (-not $stop.AsyncWaitHandle.WaitOne($Hang)) { throw "The script did not stop: $($Running.Streams.Error)" }
    try {
        $Running.Shell.EndStop($stop)
        Get-ScriptRecord $Running
    }
    finally {
        $Running.Shell.Dispose()
    }
}

function Get-ScriptRecord {
    param($Running)

    [pscustomobject]@{
        State    = $Running.Shell.InvocationStateInfo.State
        Output   = @($Running.Output)
        Errors   = @($Running.Streams.Error)
        Warnings = @($Running.Streams.Warning | ForEach-Object Message)
        Verbose  = @($Running.Streams.Verbose | ForEach-Object Message)
        Progress = @($Running.Streams.Progress)
    }
}

# Runs a script in an engine of its own, waits until the peer has been asked, stops the pipeline as Ctrl+C does, and returns what it wrote.
function Invoke-Stopped {
    param([string] $Script, $RawServer)

    $running = Start-Script $Script
    if (-not $RawServer.Asked.Wait($Hang)) { throw "No request was sent: $($running.Streams.Error)" }
    Stop-Script $running
}
