BeforeAll {
    . $PSScriptRoot/Common.ps1

    # The processes of the servers that this session has started.
    function Get-ChildServer {
        @(Get-Process dotnet -ErrorAction SilentlyContinue | Where-Object { $_.Parent.Id -eq $PID }).Id
    }

    # A session of its own that starts a server and then waits; what it has started is on its first line.
    function Start-Session {
        param([string] $Command)

        $start = [Diagnostics.ProcessStartInfo]::new($EngineProgram)
        $start.RedirectStandardOutput = $true
        $start.RedirectStandardInput = $true
        $start.UseShellExecute = $false
        $script = "Import-Module '$ModulePath'; `$server = $Command; `"`$(`$server.Uri) `$(`$server.ProcessId)`"; `$null = [Console]::In.ReadLine()"
        foreach ($argument in $EngineArguments + '-NoProfile', '-NonInteractive', '-Command', $script) {
            $start.ArgumentList.Add($argument)
        }
        $process = [Diagnostics.Process]::Start($start)
        $uri, $id = $process.StandardOutput.ReadLine() -split ' '
        [pscustomobject]@{ Process = $process; Uri = $uri; Server = [Diagnostics.Process]::GetProcessById([int]$id) }
    }
}

Describe 'Start-FleetLockServer' {
    AfterEach {
        $server | Stop-FleetLockServer
    }

    It 'answers as soon as it has returned' {
        $server = Start-FleetLockServer
        (Lock-FleetGroup -Id n1 -Uri $server.Uri).Status | Should -Be 'Granted'
        $server.Uri | Should -Match '^http://127\.0\.0\.1:\d+$'
        (Get-Process -Id $server.ProcessId).Name | Should -Be 'dotnet'
        $server.IsRunning | Should -BeTrue
        $server.Description | Should -BeLike '*default=1*'
    }

    It 'has the groups that are given, also from the pipeline' {
        $server = @{ controllers = 1; workers = 3 } | Start-FleetLockServer
        (Get-FleetGroup -Uri $server.Uri).ForEach({ "$($_.Group)=$($_.Slots)" }) | Should -Be @('controllers=1', 'workers=3')
    }

    It 'keeps its holders in a file, of the location that PowerShell is in' {
        Push-Location $TestDrive
        $server = Start-FleetLockServer -DataPath 'my slots.db'
        Pop-Location
        $null = Lock-FleetGroup -Id n1 -Uri $server.Uri
        $server | Stop-FleetLockServer
        $server = Start-FleetLockServer -DataPath (Join-Path $TestDrive 'my slots.db')
        (Get-FleetGroup default -Uri $server.Uri).Holders.Id | Should -Be 'n1'
    }

    It 'listens on the port that is given' {
        $server = Start-FleetLockServer
        $port = ([uri]$server.Uri).Port
        $server | Stop-FleetLockServer
        $server = Start-FleetLockServer -Port $port
        $server.Uri | Should -Be "http://127.0.0.1:$port"
    }

    It 'goes on when it writes more to its log than a pipe holds' {
        $server = Start-FleetLockServer @{ workers = 1000 }
        1..1500 | ForEach-Object { "node-with-a-name-of-a-certain-length-$_" } | Lock-FleetGroup -Group workers -Uri $server.Uri -ErrorAction SilentlyContinue | Measure-Object | ForEach-Object Count | Should -Be 1000
    }
}

Describe 'A server that is started and forgotten' {
    It 'goes on when nothing refers to it any more' {
        $uri = (Start-FleetLockServer).Uri
        [GC]::Collect()
        [GC]::WaitForPendingFinalizers()
        [GC]::Collect()
        (Lock-FleetGroup -Id n1 -Uri $uri).Status | Should -Be 'Granted'
    }
}

Describe 'Start-FleetLockServer when it cannot' {
    It 'has the server''s own words for a port in use' {
        $server = Start-FleetLockServer
        { Start-FleetLockServer -Port ([uri]$server.Uri).Port } | Should -Throw -ErrorId 'FleetServerNotStarted,FleetLock.PowerShell.Commands.StartFleetLockServerCommand' -ExpectedMessage "*$($server.Uri)*"
        $server | Stop-FleetLockServer
    }

    It 'has the server''s own words for <_>' -ForEach @(
        @{ 'no good name' = 1 }
        @{ workers = 'many' }
        @{ workers = -1 }
    ) {
        { Start-FleetLockServer $_ } | Should -Throw -ErrorId 'FleetServerNotStarted,*' -ExpectedMessage "*$(@($_.Keys)[0])*"
    }

    It 'has the server''s own words for a file of another program' {
        $path = Join-Path $TestDrive 'notes.txt'
        Set-Content $path ('This is no database. ' * 100)
        { Start-FleetLockServer -DataPath $path } | Should -Throw -ErrorId 'FleetServerNotStarted,*' -ExpectedMessage "*$path*"
    }

    It 'says that it needs .NET where dotnet cannot be started' {
        # Not an empty PATH: the engine itself may be dotnet, and what is beside a program is found by its name.
        $root = Join-Path $TestDrive 'unusable'
        $null = New-Item "$root/dotnet", "$root/dotnet.exe" -Force
        $env:DOTNET_ROOT, $before = $root, $env:DOTNET_ROOT
        try {
            { Start-FleetLockServer } | Should -Throw -ErrorId 'FleetServerNotStarted,*' -ExpectedMessage '*ASP.NET Core runtime of .NET 10*'
        }
        finally { $env:DOTNET_ROOT = $before }
    }

    It 'says that it needs the ASP.NET Core runtime where dotnet does not have it' {
        if ($IsWindows) { Set-ItResult -Skipped -Because 'what stands in for dotnet is a shell script' }
        $root = Join-Path $TestDrive 'without'
        $null = New-Item $root -ItemType Directory
        Set-Content (Join-Path $root 'dotnet') "#!/bin/sh`nexit 150"
        chmod +x (Join-Path $root 'dotnet')
        $env:DOTNET_ROOT, $before = $root, $env:DOTNET_ROOT
        try {
            { Start-FleetLockServer } | Should -Throw -ErrorId 'FleetServerNotStarted,*' -ExpectedMessage '*ASP.NET Core runtime of .NET 10*'
        }
        finally { $env:DOTNET_ROOT = $before }
    }

    It 'starts no detached server whose slots would not outlive it' {
        { Start-FleetLockServer -Detached } | Should -Throw -ErrorId 'FleetServerDataInvalid,*'
    }

    It 'starts nothing with -WhatIf, and passes the URLs of etcd on' {
        $text = Invoke-Engine -Command "Import-Module '$ModulePath'; Start-FleetLockServer @{ a = 2 } -Etcd http://e1:2379, http://e2:2379 -Port 4000 -WhatIf"
        "$text" | Should -BeLike '*--listen http://127.0.0.1:4000 --etcd http://e1:2379,http://e2:2379 --group a=2*'
    }

    It 'leaves no server behind when the pipeline is stopped' {
        $before = Get-ChildServer
        $running = Start-Script 'while ($true) { $started.Add((Start-FleetLockServer)) }' @{ started = ($started = [Collections.Concurrent.BlockingCollection[object]]::new()) }
        $first = $started.Take()
        $stopped = Stop-Script $running
        $stopped.State | Should -Be 'Stopped'
        @($first) + @($started) | Where-Object { $_ } | Stop-FleetLockServer
        $first.IsRunning | Should -BeFalse
        Wait-Until { -not (Get-ChildServer | Where-Object { $_ -notin $before }) }
    }
}

Describe 'Stop-FleetLockServer' {
    It 'stops servers from the pipeline in good order, and one that has ended is no fault' {
        $servers = @{ a = 1 }, @{ b = 1 } | Start-FleetLockServer
        $servers | Stop-FleetLockServer | Should -BeNullOrEmpty
        $servers.IsRunning | Should -Be @($false, $false)
        $servers.ExitCode | Should -Be @(0, 0)
        { $servers | Stop-FleetLockServer -ErrorAction Stop } | Should -Not -Throw
    }

    It 'stops nothing with -WhatIf' {
        $server = Start-FleetLockServer
        $server | Stop-FleetLockServer -WhatIf
        $server.IsRunning | Should -BeTrue
        $server | Stop-FleetLockServer
    }

    It 'stops a server that does not end by itself when the patience is stopped by Ctrl+C' {
        if ($IsWindows) { Set-ItResult -Skipped -Because 'Windows has no signals' }
        $server = Start-FleetLockServer
        kill -STOP $server.ProcessId
        $running = Start-Script 'Stop-FleetLockServer $server -Verbose' @{ server = $server }
        Wait-Until { "$($running.Streams.Verbose)" -match 'Stop' }
        (Stop-Script $running).State | Should -Be 'Stopped'
        Reset-InteractiveLimit ServerStop
        Stop-FleetLockServer $server
        Set-InteractiveLimit ServerStop
        $server.IsRunning | Should -BeFalse
    }
}

Describe 'The session that has started a server' {
    AfterEach {
        if (-not $session.Process.HasExited) { $session.Process.Kill() }
        if (-not $session.Server.HasExited) { $session.Server.Kill() }
    }

    It 'takes it along when it ends' {
        $session = Start-Session 'Start-FleetLockServer'
        $session.Process.StandardInput.Close()
        $session.Server.WaitForExit($Hang) | Should -BeTrue
    }

    It 'takes it along when it is killed, also when nothing refers to it' {
        $session = Start-Session 'Start-FleetLockServer'
        (Lock-FleetGroup -Id n1 -Uri $session.Uri).Status | Should -Be 'Granted'
        $session.Process.Kill()
        $session.Server.WaitForExit($Hang) | Should -BeTrue
    }

    It 'leaves it running when it is killed and the server is detached' {
        $session = Start-Session "Start-FleetLockServer -Detached -DataPath '$(Join-Path $TestDrive detached.db)'"
        (Lock-FleetGroup -Id n1 -Uri $session.Uri).Status | Should -Be 'Granted'
        $session.Process.Kill()
        $session.Process.WaitForExit()

        # Each answer is logged to where nobody reads any more.
        1..20 | ForEach-Object { { Lock-FleetGroup -Id n2 -Uri $session.Uri -ErrorAction Stop } | Should -Throw -ErrorId 'FleetGroupBusy,*' }
        $session.Server.HasExited | Should -BeFalse
    }
}
