BeforeAll {
    . $PSScriptRoot/Common.ps1

    $unknownGroup = New-Answer 400 '{"kind":"unknown_group","value":"no such group"}'
    $fleetlockctl = Join-Path $RepositoryRoot 'out/fleetlockctl/fleetlockctl.dll'
}

Describe 'Invoke-FleetLock against the real server' {
    BeforeAll {
        $server = Start-TestServer -Group 'web=1'
        $slot = @{ Group = 'web'; Id = 'n1'; Uri = $server.Uri }
    }

    AfterAll {
        Stop-TestServer $server
    }

    AfterEach {
        'n1', 'n2' | Unlock-FleetGroup -Group web -Uri $server.Uri
    }

    It 'runs the block while the slot is held, and releases it then' {
        Invoke-FleetLock { Get-Holder $server web } @slot | Should -Be 'n1'
        Get-Holder $server web | Should -BeNullOrEmpty
    }

    It 'streams the output of the block as it comes' {
        $order = [Collections.Generic.List[string]]::new()
        Invoke-FleetLock { 'first'; $order.Add('the block goes on'); 'second' } @slot | ForEach-Object { $order.Add($_) }
        $order | Should -Be @('first', 'the block goes on', 'second')
    }

    It 'lets the block see the variables and functions of its caller' {
        function Get-Local { 'a function' }
        $local = 'a variable'
        Invoke-FleetLock { $local; Get-Local } @slot | Should -Be @('a variable', 'a function')
    }

    It 'gives the block a scope of its own, as the call operator does' {
        $value = 'outside'
        Invoke-FleetLock { $value = 'inside' } @slot
        $value | Should -Be 'outside'
    }

    It 'passes -ArgumentList to the block' {
        Invoke-FleetLock { param($First, $Second) "$Second after $First" } -ArgumentList 'one', 'two' @slot | Should -Be 'two after one'
        Invoke-FleetLock { $args.Count } @slot | Should -Be 0
    }

    It 'takes the block from the pipeline' {
        { 'piped' } | Invoke-FleetLock @slot | Should -Be 'piped'
    }

    It 'runs in a pipeline, and a pipeline runs in it' {
        $tenfold = 1..3 | ForEach-Object { $number = $_; Invoke-FleetLock { 1..$number | Where-Object { $_ -gt 1 } | ForEach-Object { $_ * 10 } } @slot }
        $tenfold | Should -Be @(20, 20, 30)
    }

    It 'brings the warnings, the verbose lines and the information of the block through' {
        $records = Invoke-FleetLock {
            [CmdletBinding()] param()
            Write-Warning 'take care'
            Write-Verbose 'a detail' -Verbose
            Write-Information 'a note'
            Write-Host 'hello'
            'output'
        } @slot 3>&1 4>&1 6>&1
        "$records" | Should -Be 'take care a detail a note hello output'
    }

    It 'writes nothing of its own' {
        $ended = Complete-Script (Start-Script "Invoke-FleetLock { 'output' } -Group web -Id n1 -Uri $($server.Uri)")
        $ended.Output | Should -Be 'output'
        $ended.Errors + $ended.Warnings + $ended.Verbose + $ended.Progress | Should -BeNullOrEmpty
    }

    It 'releases when the block throws, and the error passes through unchanged' {
        $thrown = [InvalidOperationException]::new('broken')
        try { Invoke-FleetLock { throw $thrown } @slot } catch { $caught = $_ }
        [object]::ReferenceEquals($caught.Exception, $thrown) | Should -BeTrue
        Get-Holder $server web | Should -BeNullOrEmpty
    }

    It 'leaves the id and the target of an error as they are' {
        $block = { Write-Error 'broken' -ErrorId Mine -TargetObject 'it' -Category LimitsExceeded -ErrorAction Stop }
        try { Invoke-FleetLock $block @slot } catch { $caught = $_ }
        try { & $block } catch { $expected = $_ }
        $caught.FullyQualifiedErrorId | Should -Be $expected.FullyQualifiedErrorId
        $caught.TargetObject, $caught.CategoryInfo.Category | Should -Be @('it', 'LimitsExceeded')
    }

    It 'leaves the error of a .NET call as it is, and the engine names the cmdlet as it does with Invoke-Command' {
        $block = { [int]::Parse('x') }
        try { Invoke-FleetLock $block @slot } catch { $caught = $_ }
        try { Invoke-Command $block } catch { $expected = $_ }
        ($caught.FullyQualifiedErrorId -split ',')[0] | Should -Be ($expected.FullyQualifiedErrorId -split ',')[0]
        $caught.Exception.GetType() | Should -Be $expected.Exception.GetType()
        $caught.Exception.Message | Should -Be $expected.Exception.Message
    }

    It 'goes on after an error of the block that does not terminate, and releases' {
        $records = Invoke-FleetLock { Write-Error 'a scratch' -ErrorId Mine -ErrorAction Continue; 'after' } @slot 2>&1
        $records[0].FullyQualifiedErrorId | Should -BeLike 'Mine*'
        $records[0].Exception.Message | Should -Be 'a scratch'
        $records[1] | Should -Be 'after'
        Get-Holder $server web | Should -BeNullOrEmpty
    }

    It 'releases when a later command has enough' {
        $went = [Collections.Generic.List[string]]::new()
        Invoke-FleetLock { 'first'; $went.Add('on'); 'second' } @slot | Select-Object -First 1 | Should -Be 'first'
        $went | Should -BeNullOrEmpty
        Get-Holder $server web | Should -BeNullOrEmpty
    }

    It 'releases when a later command fails' {
        { Invoke-FleetLock { 'first' } @slot | ForEach-Object { throw 'downstream' } } | Should -Throw 'downstream'
        Get-Holder $server web | Should -BeNullOrEmpty
    }

    It 'releases when the block leaves by <_>' -ForEach 'break', 'continue' {
        $leave = [scriptblock]::Create($_)
        $ended = 'not at all'
        foreach ($once in 1) {
            $ended = 'early'
            Invoke-FleetLock $leave @slot
            $ended = 'late'
        }
        $ended | Should -Be 'early'
        Get-Holder $server web | Should -BeNullOrEmpty
    }

    It 'releases when the block returns' {
        Invoke-FleetLock { 'out'; return; 'never' } @slot | Should -Be 'out'
        Get-Holder $server web | Should -BeNullOrEmpty
    }

    It 'releases on Ctrl+C in the middle of the block' {
        $entered = [Threading.ManualResetEventSlim]::new()
        $running = Start-Script "Invoke-FleetLock { 'begun'; `$entered.Set(); Start-Sleep 60; 'never' } -Group web -Id n1 -Uri $($server.Uri); 'the script went on'" @{ entered = $entered }
        $entered.Wait($Hang) | Should -BeTrue
        Get-Holder $server web | Should -Be 'n1'
        $stopped = Stop-Script $running
        $stopped.State | Should -Be 'Stopped'
        $stopped.Output | Should -Be 'begun'
        Get-Holder $server web | Should -BeNullOrEmpty
    }

    It 'releases on Ctrl+C also with -KeepOnFailure: a block that is stopped has not failed' {
        $entered = [Threading.ManualResetEventSlim]::new()
        $running = Start-Script "Invoke-FleetLock { `$entered.Set(); Start-Sleep 60 } -KeepOnFailure -Group web -Id n1 -Uri $($server.Uri)" @{ entered = $entered }
        $entered.Wait($Hang) | Should -BeTrue
        (Stop-Script $running).State | Should -Be 'Stopped'
        Get-Holder $server web | Should -BeNullOrEmpty
    }

    It 'releases on exit in the block, and the exit code is kept' {
        Invoke-Engine -Command "Import-Module '$ModulePath'; Invoke-FleetLock { 'out'; exit 7 } -Group web -Id n1 -Uri $($server.Uri); 'never'" | Should -Be 'out'
        $LASTEXITCODE | Should -Be 7
        Get-Holder $server web | Should -BeNullOrEmpty
    }

    It 'keeps the exit code of a command in the block' {
        Invoke-FleetLock { dotnet $fleetlockctl no-such-command 2>&1 | Out-Null } @slot
        $LASTEXITCODE | Should -Be 64
    }

    It 'keeps the slot with -KeepOnFailure when the block fails, and says so' {
        try { Invoke-FleetLock { throw 'broken' } -KeepOnFailure @slot -WarningVariable kept -WarningAction SilentlyContinue } catch { $caught = $_ }
        "$caught" | Should -Be 'broken'
        "$kept" | Should -BeLike "*Unlock-FleetGroup -Group web -Id 'n1'*"
        Get-Holder $server web | Should -Be 'n1'
        (Invoke-FleetLock { 'mended' } @slot) | Should -Be 'mended' -Because 'the file lock is given back all the same'
    }

    It 'does not keep it with -KeepOnFailure when the block succeeds, nor when a later command has enough' {
        Invoke-FleetLock { 'fine' } -KeepOnFailure @slot -WarningVariable kept | Should -Be 'fine'
        Invoke-FleetLock { 'first'; 'second' } -KeepOnFailure @slot -WarningVariable kept | Select-Object -First 1 | Should -Be 'first'
        $kept | Should -BeNullOrEmpty
        Get-Holder $server web | Should -BeNullOrEmpty
    }

    It 'waits for a slot with -Wait' {
        $null = Lock-FleetGroup web -Id n2 -Uri $server.Uri
        $waiting = Start-Script "Invoke-FleetLock { 'ran' } -Wait -Group web -Id n1 -Uri $($server.Uri)"
        Wait-Until { $waiting.Streams.Progress.Count -gt 0 }
        Unlock-FleetGroup web -Id n2 -Uri $server.Uri
        $ended = Complete-Script $waiting
        $ended.Output | Should -Be 'ran'
        $ended.Progress.RecordType | Select-Object -Last 1 | Should -Be 'Completed'
        Get-Holder $server web | Should -BeNullOrEmpty
    }

    It 'refuses a second block on this machine while one runs, and leaves the first one its slot' {
        $entered, $leave = [Threading.ManualResetEventSlim]::new(), [Threading.ManualResetEventSlim]::new()
        $script = "Invoke-FleetLock { `$entered.Set(); `$leave.Wait() } -Group web -Id n1 -Uri $($server.Uri)"
        $first = Start-Script $script @{ entered = $entered; leave = $leave }
        $entered.Wait($Hang) | Should -BeTrue
        try { Invoke-FleetLock { 'both ran' } @slot } catch { $caught = $_ }
        $caught.FullyQualifiedErrorId | Should -BeLike 'FleetGroupBusy,*'
        "$caught" | Should -BeLike "*process $PID *(client_run_held)*"
        Get-Holder $server web | Should -Be 'n1'
        $leave.Set()
        $null = Complete-Script $first
        Get-Holder $server web | Should -BeNullOrEmpty
    }

    It 'runs a block within a block under the outer slot, each time, and releases it once' {
        $inner = Invoke-FleetLock {
            Invoke-FleetLock { 'first' } -Wait @slot
            Invoke-FleetLock { 'second' } -Wait @slot
            Get-Holder $server web
        } @slot
        $inner | Should -Be @('first', 'second', 'n1')
        Get-Holder $server web | Should -BeNullOrEmpty
    }

    It 'reports a slot that was lost before the block ended' {
        Invoke-FleetLock { Unlock-FleetGroup web -Id n1 -Uri $server.Uri; 'ran' } @slot -ErrorAction SilentlyContinue -ErrorVariable failed | Should -Be 'ran'
        "$($failed[0])" | Should -BeLike '*was lost*'
        "$($failed[0])" | Should -Not -BeLike '*Unlock-FleetGroup*'
    }

    It 'does not say of a nested block that it keeps the slot' {
        $kept = Invoke-FleetLock { try { Invoke-FleetLock { throw 'broken' } -KeepOnFailure @slot 3>&1 } catch { } } @slot
        $kept | Should -BeNullOrEmpty
        Get-Holder $server web | Should -BeNullOrEmpty
    }

    It 'runs what a child engine locks under the slot of the block' {
        $script = "Import-Module '$ModulePath'; Invoke-FleetLock { 'inner' } -Group web -Id n1 -Uri $($server.Uri)"
        $ran = Invoke-FleetLock { Invoke-Engine -Command $script; Invoke-Engine -Command $script; Get-Holder $server web } @slot
        $ran | Should -Be @('inner', 'inner', 'n1')
        $env:FLEETLOCK_HELD | Should -BeNullOrEmpty
        Get-Holder $server web | Should -BeNullOrEmpty
    }

    It 'releases at the end what an earlier block of this session has kept' {
        try { Invoke-FleetLock { throw 'broken' } -KeepOnFailure @slot -WarningAction SilentlyContinue } catch { $null = $_ }
        Get-Holder $server web | Should -Be 'n1'
        Invoke-FleetLock { 'mended' } @slot -WarningVariable told | Should -Be 'mended'
        $told | Should -BeNullOrEmpty
        Get-Holder $server web | Should -BeNullOrEmpty
    }

    It 'keeps a slot that the id held before, and says so' {
        $null = Lock-FleetGroup web -Id n1 -Uri $server.Uri
        Invoke-FleetLock { 'ran' } @slot -WarningVariable told -WarningAction SilentlyContinue | Should -Be 'ran'
        "$told" | Should -BeLike "*stays held by 'n1', which held it before the block.*Unlock-FleetGroup -Group web -Id 'n1'*"
        Get-Holder $server web | Should -Be 'n1'
    }

    It 'lets fleetlockctl run in the block run under its slot, and without the variable refuses it at once' {
        $joined = Invoke-FleetLock {
            dotnet $fleetlockctl run --url $server.Uri --group web --id n1 -- echo 'inner' 2>$null
            $held, $env:FLEETLOCK_HELD = $env:FLEETLOCK_HELD, $null
            dotnet $fleetlockctl run --url $server.Uri --group web --id n1 --wait -- echo 'both ran' 2>$null
            $LASTEXITCODE
            $env:FLEETLOCK_HELD = $held
        } @slot
        $joined | Should -Be @('inner', 75)
        Get-Holder $server web | Should -BeNullOrEmpty
        $env:FLEETLOCK_HELD | Should -BeNullOrEmpty
    }

    It 'is refused while fleetlockctl run has the slot' {
        $start = [Diagnostics.ProcessStartInfo]::new('dotnet')
        foreach ($argument in $fleetlockctl, 'run', '--url', $server.Uri, '--group', 'web', '--id', 'n1', '--', 'sh', '-c', 'echo begun; read line') { $start.ArgumentList.Add($argument) }
        $start.RedirectStandardInput = $start.RedirectStandardOutput = $true
        $process = [Diagnostics.Process]::Start($start)
        $process.StandardOutput.ReadLine() | Should -Be 'begun'
        { Invoke-FleetLock { 'both ran' } @slot } | Should -Throw '*(client_run_held)*' -ErrorId 'FleetGroupBusy,*'
        Get-Holder $server web | Should -Be 'n1' -Because 'the refused one releases nothing'
        $process.StandardInput.Close()
        $process.WaitForExit()
    }

    It 'takes group, id and server from the environment' {
        $env:FLEETLOCK_URL, $env:FLEETLOCK_GROUP, $env:FLEETLOCK_ID = $server.Uri, 'web', 'n2'
        try {
            Invoke-FleetLock { Get-Holder $server web } | Should -Be 'n2'
        }
        finally {
            $env:FLEETLOCK_URL, $env:FLEETLOCK_GROUP, $env:FLEETLOCK_ID = $null, $null, $null
        }
    }

    It 'sends nothing and runs nothing with -WhatIf' {
        $null = Lock-FleetGroup web -Id n2 -Uri $server.Uri
        Invoke-FleetLock { 'ran' } -WhatIf @slot | Should -BeNullOrEmpty
        Get-Holder $server web | Should -Be 'n2'
    }
}

Describe 'Invoke-FleetLock and a block that does not run' {
    BeforeEach {
        # What such a run may have left is adopted by the next one.
        $env:FLEETLOCK_STATE_DIRECTORY = Join-Path $TestDrive ([guid]::NewGuid())
    }

    It 'ends the script with <ErrorId> for <Status>, whatever -ErrorAction says' -ForEach @(
        @{ Status = 409; Body = '{"kind":"failed_lock_semaphore_full","value":"all 1 semaphore slots currently locked"}'; ErrorId = 'FleetGroupBusy' }
        @{ Status = 202; Body = '{"kind":"waiting_for_node_drain","value":"draining"}'; ErrorId = 'FleetGroupPending' }
        @{ Status = 400; Body = '{"kind":"unknown_group","value":"no such group"}'; ErrorId = 'FleetGroupRefused' }
        @{ Status = 502; Body = '<html>Bad Gateway</html>'; ErrorId = 'FleetServerUnreachable' }
        @{ Status = 204; Body = ''; ErrorId = 'FleetProtocolError' }
        @{ Status = 302; Body = ''; ErrorId = 'FleetProtocolError' }
    ) {
        $raw = New-RawServer (New-Answer $Status $Body)
        $ran = [Collections.Generic.List[string]]::new()
        { Invoke-FleetLock { $ran.Add('ran') } -Group web -Id n1 -Uri $raw.Url -ErrorAction SilentlyContinue } | Should -Throw -ErrorId "$ErrorId,FleetLock.PowerShell.Commands.InvokeFleetLockCommand"
        $ran | Should -BeNullOrEmpty
        Stop-RawServer $raw
    }

    It 'releases at once what a lost answer may have granted, and runs nothing' {
        $raw = New-RawServer ([FleetLock.TestKit.RawAnswer]::Close), (New-Answer 200)
        # An id of which no earlier run has left a note. This one leaves one, because the undo is not acknowledged.
        $id = [guid]::NewGuid()
        { Invoke-FleetLock { 'ran' } -Group lost -Id $id -Uri $raw.Url } | Should -Throw -ErrorId 'FleetServerUnreachable,*'
        Get-Asked $raw | Select-Object -Last 1 | Should -Be "/v1/groups/lost/grants/$(Get-GrantId $raw)?id=$id&reason=undo"
        Stop-RawServer $raw
    }

    It 'refuses a bad <_> before anything is sent' -ForEach 'Group', 'Id' {
        $raw = New-RawServer
        $given = @{ Group = 'web'; Id = 'n1'; Uri = $raw.Url }
        $given[$_] = "a`tb"
        { Invoke-FleetLock { 'ran' } @given -ErrorAction SilentlyContinue } | Should -Throw -ErrorId 'Fleet*Invalid,*'
        $raw.Requests.Count | Should -Be 0
        Stop-RawServer $raw
    }

    It 'ends the progress of a wait before the block begins' {
        $raw = New-RawServer (New-Answer 502), (New-Answer 200)
        $ended = Complete-Script (Start-Script "Invoke-FleetLock { Write-Progress 'the block' } -Wait -Group web -Id n1 -WarningAction Ignore -Uri $($raw.Url)")
        $ended.Progress.RecordType | Should -Be @('Processing', 'Completed', 'Processing')
        Stop-RawServer $raw
    }

    It 'gives up after -WaitTimeoutSec' {
        $raw = New-RawServer (New-Answer 502)
        { Invoke-FleetLock { 'ran' } -WaitTimeoutSec 1 -Group web -Id n1 -Uri $raw.Url -WarningAction Ignore } | Should -Throw -ErrorId 'FleetRequestTimedOut,*'
        Stop-RawServer $raw
    }

    It 'sends nothing with -WhatIf' {
        $raw = New-RawServer
        Invoke-FleetLock { 'ran' } -Group web -Id n1 -Uri $raw.Url -WhatIf | Should -BeNullOrEmpty
        $raw.Requests.Count | Should -Be 0
        Stop-RawServer $raw
    }

    It 'has no server of its own: a missing address ends the script' {
        { Invoke-FleetLock { 'ran' } -Group web -Id n1 } | Should -Throw '*FLEETLOCK_URL*' -ErrorId 'FleetServerInvalid,*'
    }
}

Describe 'Invoke-FleetLock and a release that fails' {
    BeforeEach {
        # What such a run leaves is adopted by the next one.
        $env:FLEETLOCK_STATE_DIRECTORY = Join-Path $TestDrive ([guid]::NewGuid())
        $raw = New-RawServer (New-Answer 200), $unknownGroup
        $slot = @{ Group = 'web'; Id = 'n1'; Uri = $raw.Url }
    }

    AfterEach {
        Stop-RawServer $raw
    }

    It 'is an error of its own after the output' {
        $output = Invoke-FleetLock { 'output' } @slot -ErrorAction SilentlyContinue -ErrorVariable failed
        $output | Should -Be 'output'
        $failed.Count | Should -Be 1
        $failed[0].FullyQualifiedErrorId | Should -Be 'FleetGroupRefused,FleetLock.PowerShell.Commands.InvokeFleetLockCommand'
        $failed[0].TargetObject.Operation | Should -Be 'Unlock'
        Get-Asked $raw | Should -Be @('/v1/pre-reboot', '/v1/steady-state')
    }

    It 'says how to release later, by a command that can be pasted for every id' {
        $slot.Id = "it's `$(n1)"
        $null = Invoke-FleetLock { 'output' } @slot -ErrorAction SilentlyContinue -ErrorVariable failed
        "$($failed[0])" | Should -BeLike "*Unlock-FleetGroup -Group web -Id 'it''s `$(n1)'*"
    }

    It 'leaves the grant to the next run on this machine' {
        $null = Invoke-FleetLock { 'output' } @slot -ErrorAction SilentlyContinue
        { Invoke-FleetLock { 'refused' } @slot } | Should -Throw
        $grants = $raw.Requests.Where({ $_.Line -like 'POST /v1/pre-reboot*' }).ForEach({ $_.Header('FleetLock-Grant') })
        $grants.Count | Should -Be 2
        $grants[1] | Should -Be $grants[0]
    }

    It 'ends the script with -ErrorAction Stop' {
        { Invoke-FleetLock { 'output' } @slot -ErrorAction Stop } | Should -Throw -ErrorId 'FleetGroupRefused,*'
    }

    It 'does not hide the error of the block' {
        try { Invoke-FleetLock { throw 'broken' } @slot -ErrorAction SilentlyContinue -ErrorVariable failed } catch { $caught = $_ }
        "$caught" | Should -Be 'broken'
        $failed.FullyQualifiedErrorId | Should -Contain 'FleetGroupRefused,FleetLock.PowerShell.Commands.InvokeFleetLockCommand'
    }

    It 'does not hide the error of the block with -ErrorAction Stop either' {
        try { Invoke-FleetLock { throw 'broken' } @slot -ErrorAction Stop -WarningVariable told -WarningAction SilentlyContinue } catch { $caught = $_ }
        "$caught" | Should -Be 'broken'
        "$told" | Should -BeLike '*Unlock-FleetGroup*'
    }

    It 'is told also when a later command has enough' {
        $output = Invoke-FleetLock { 'first'; 'second' } @slot -ErrorAction SilentlyContinue -ErrorVariable failed | Select-Object -First 1
        $output | Should -Be 'first'
        $failed.FullyQualifiedErrorId | Should -Contain 'FleetGroupRefused,FleetLock.PowerShell.Commands.InvokeFleetLockCommand'
    }
}

Describe 'Invoke-FleetLock and signals' -Skip:$IsWindows {
    BeforeAll {
        $server = Start-TestServer -Group 'web=1', 'db=1'

        # An engine whose script says "begun", and waits then. It has no terminal.
        function Start-Engine {
            param([string] $Script)

            $start = [Diagnostics.ProcessStartInfo]::new($EngineProgram)
            foreach ($argument in @($EngineArguments) + '-NoProfile', '-NonInteractive', '-NoLogo', '-Command', "Import-Module '$ModulePath'; `$PSDefaultParameterValues = @{ 'Invoke-FleetLock:Uri' = '$($server.Uri)'; 'Invoke-FleetLock:Id' = 's1' }; $Script") { $start.ArgumentList.Add($argument) }
            $start.RedirectStandardInput = $start.RedirectStandardOutput = $start.RedirectStandardError = $true
            $process = [Diagnostics.Process]::Start($start)
            $process.StandardOutput.ReadLine() | Should -Be 'begun'
            $process
        }

        function Stop-Engine {
            param($Process, [string] $Signal)

            kill "-$Signal" $Process.Id
            if (-not $Process.WaitForExit($Hang)) { $Process.Kill(); throw 'The engine did not end.' }
            $Process.ExitCode
        }
    }

    AfterAll {
        Stop-TestServer $server
    }

    It 'releases on <Signal>, and the engine ends as it would have' -ForEach @{ Signal = 'TERM' }, @{ Signal = 'HUP' } {
        $expected = Stop-Engine (Start-Engine "'begun'; Start-Sleep 3600") $Signal
        $engine = Start-Engine "Invoke-FleetLock -Group web { 'begun'; Start-Sleep 3600 }"
        Get-Holder $server web | Should -Be 's1'
        Stop-Engine $engine $Signal | Should -Be $expected
        Get-Holder $server web | Should -BeNullOrEmpty
    }

    It 'releases every slot of nested blocks' {
        $engine = Start-Engine "Invoke-FleetLock -Group web { Invoke-FleetLock -Group db { Invoke-FleetLock -Group web { 'begun'; Start-Sleep 3600 } } }"
        Get-Holder $server db | Should -Be 's1'
        $null = Stop-Engine $engine TERM
        Get-Holder $server web | Should -BeNullOrEmpty
        Get-Holder $server db | Should -BeNullOrEmpty
    }

    It 'leaves the engine to end as it would once the block is over' {
        $engine = Start-Engine "Invoke-FleetLock -Group web { }; 'begun'; Start-Sleep 3600"
        $null = Stop-Engine $engine TERM
        Get-Holder $server web | Should -BeNullOrEmpty
    }
}

Describe 'Invoke-FleetLock and a server that does not answer the release' {
    BeforeAll {
        Reset-InteractiveLimit InterruptedRelease

        # The warnings of a stopped pipeline are the host's to show.
        function Stop-Block {
            param([string] $Block, [scriptblock] $When)

            $raw = New-RawServer (New-Answer 200), ([FleetLock.TestKit.RawAnswer]::Never)
            $engine = [Diagnostics.ProcessStartInfo]::new($EngineProgram)
            $script = @"
Import-Module '$ModulePath'
`$shell = [powershell]::Create([initialsessionstate]::CreateDefault2())
`$runspace = [runspacefactory]::CreateRunspace(`$Host)
`$runspace.Open()
`$shell.Runspace = `$runspace
`$null = `$shell.AddScript("Import-Module '$ModulePath'; Invoke-FleetLock { $Block } -Group stop -Id n1 -TimeoutSec 0 -Uri $($raw.Url)")
`$running = `$shell.BeginInvoke()
`$null = [Console]::In.ReadLine()
`$clock = [Diagnostics.Stopwatch]::StartNew()
`$shell.Stop()
[Console]::Out.WriteLine("stopped after `$(`$clock.ElapsedMilliseconds)")
"@
            foreach ($argument in @($EngineArguments) + '-NoProfile', '-NonInteractive', '-NoLogo', '-Command', $script) { $engine.ArgumentList.Add($argument) }
            $engine.RedirectStandardInput = $engine.RedirectStandardOutput = $true
            $process = [Diagnostics.Process]::Start($engine)
            Wait-Until { & $When $raw }
            $process.StandardInput.WriteLine()
            $output = $process.StandardOutput.ReadToEndAsync()
            if (-not $process.WaitForExit($Hang)) { $process.Kill(); throw 'It was not stopped.' }
            $null = Stop-RawServer $raw
            $output.Result -replace '\e\[[\d;]*m'
        }
    }

    AfterAll {
        Set-InteractiveLimit InterruptedRelease
    }

    AfterEach {
        # The next run takes the slot over, and releases it.
        $raw = New-RawServer
        Invoke-FleetLock { } -Group stop -Id n1 -Uri $raw.Url
        Stop-RawServer $raw
    }

    It 'stops on Ctrl+C <When>, and reports what is still held' -ForEach @(
        @{ When = 'in the block'; Block = "Set-Content -LiteralPath '{0}' x; Start-Sleep 3600"; Asked = 1 }
        @{ When = 'in the release'; Block = "Set-Content -LiteralPath '{0}' x"; Asked = 2 }
    ) {
        $asked, $begun = $Asked, (Join-Path $TestDrive "begun-$Asked")
        $output = Stop-Block ($Block -f $begun) { param($server) (Test-Path $begun) -and $server.Requests.Count -ge $asked }.GetNewClosure()
        $output | Should -Match 'stopped after'
        $output -replace '\s+', ' ' | Should -BeLike "*The slot of group 'stop' is still held by 'n1'*Unlock-FleetGroup -Group stop -Id 'n1'*"
    }

    It 'gives up after -ReleaseTimeoutSec' {
        $raw = New-RawServer (New-Answer 200), (New-Answer 502)
        $null = Invoke-FleetLock { 'ran' } -Group stop -Id n1 -Uri $raw.Url -ReleaseTimeoutSec 0 -ErrorAction SilentlyContinue -ErrorVariable failed
        $failed[0].FullyQualifiedErrorId | Should -BeLike 'FleetRequestTimedOut,*'
        Get-Asked $raw | Should -Be @('/v1/pre-reboot', '/v1/steady-state')
        Stop-RawServer $raw
    }
}
