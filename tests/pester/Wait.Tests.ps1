BeforeDiscovery {
    # What waiting cannot cure → the error that comes at once. A new case is one line.
    $incurable = @(
        @{ Case = 'an unknown group'; Status = 400; Body = '{"kind":"unknown_group","value":"no such group"}'; ErrorId = 'FleetGroupRefused' }
        @{ Case = 'missing credentials'; Status = 401; Body = '{"kind":"unauthorized_request","value":"who are you"}'; ErrorId = 'FleetGroupRefused' }
        @{ Case = 'another success code'; Status = 204; Body = ''; ErrorId = 'FleetProtocolError' }
        @{ Case = 'a web site'; Status = 404; Body = '<html>Not Found</html>'; ErrorId = 'FleetProtocolError' }
    )
}

BeforeAll {
    . $PSScriptRoot/Common.ps1

    $full = New-Answer 409 '{"kind":"failed_lock_semaphore_full","value":"all 1 semaphore slots currently locked"}'
    $away = New-Answer 502 '<html>Bad Gateway</html>'
}

Describe 'Lock-FleetGroup -Wait against the real server' {
    BeforeAll {
        $server = Start-TestServer -Group 'web=1'
    }

    AfterAll {
        Stop-TestServer $server
    }

    It 'is granted when another releases, and says meanwhile who holds the slot' {
        $null = Lock-FleetGroup web -Id n1 -Uri $server.Uri
        $waiting = Start-Script "Lock-FleetGroup web -Id n2 -Wait -Uri $($server.Uri)"
        Wait-Until { "$($waiting.Streams.Progress)" -match 'held by n1' }
        $waiting.Output.Count | Should -Be 0
        Unlock-FleetGroup web -Id n1 -Uri $server.Uri

        $ended = Complete-Script $waiting
        $ended.Output.Status, $ended.Output.Id | Should -Be @('Granted', 'n2')
        $ended.Output.Attempts | Should -BeGreaterThan 1
        Get-Holder $server web | Should -Be 'n2'
    }

    It 'leaves nothing held when Ctrl+C ends the wait' {
        $null = Lock-FleetGroup web -Id n2 -Uri $server.Uri
        $waiting = Start-Script "Lock-FleetGroup web -Id n3 -Wait -Uri $($server.Uri)"
        Wait-Until { $waiting.Streams.Progress.Count -gt 0 }
        $stopped = Stop-Script $waiting
        $stopped.State | Should -Be 'Stopped'
        Get-Holder $server web | Should -Be 'n2'
    }
}

Describe 'Lock-FleetGroup -Wait against literal answers' {
    AfterEach {
        Stop-RawServer $raw
    }

    It 'tries until it is granted, tells each try with -Verbose, and shows its progress to the end' {
        $raw = New-ListingServer $full, (New-Answer 200)
        $ended = Complete-Script (Start-Script "Lock-FleetGroup web -Id n1 -Wait -Verbose -Uri $($raw.Url)")
        $ended.Errors + $ended.Warnings | Should -BeNullOrEmpty
        $ended.Output.Status, $ended.Output.Attempts | Should -Be @('Granted', 2)
        Get-Tried $raw | Should -Be @('/v1/pre-reboot', '/v1/pre-reboot')
        @((Get-Asked $raw) -eq '/v1/groups').Count | Should -BeLessOrEqual 1

        $ended.Verbose[1] | Should -BeLike '*all 1 semaphore slots currently locked*'
        $ended.Verbose[2] | Should -BeLike "*'web'*'n1'*Granted*"
        $ended.Verbose.Count | Should -Be 3

        $ended.Progress[0].Activity | Should -BeLike "*'web'*"
        $ended.Progress[0].StatusDescription | Should -BeLike 'all 1 semaphore slots currently locked*'
        $ended.Progress[0].CurrentOperation | Should -Match '\d+ s'
        @($ended.Progress.ActivityId | Select-Object -Unique).Count | Should -Be 1
        $ended.Progress.RecordType | Select-Object -Last 1 | Should -Be 'Completed'
        @($ended.Progress.RecordType -eq 'Completed').Count | Should -Be 1
    }

    It 'asks the server to hold the request from the second try on' {
        $raw = New-ListingServer $full, (New-Answer 200)
        $null = Lock-FleetGroup web -Id n1 -Wait -Uri $raw.Url
        $asked = @($raw.Requests | Where-Object Line -Match pre-reboot)
        $asked[0].Header('Prefer') | Should -BeNullOrEmpty
        $asked[1].Header('Prefer') | Should -Be 'wait=30'
    }

    It 'ends the progress for good when the list of the holders comes late, and does not wait for it' {
        $gate = [Threading.Tasks.TaskCompletionSource]::new()
        $list = New-Answer 200 '{"groups":[{"group":"web","slots":1,"free":0,"holders":[{"id":"n9","since":"2026-01-01T00:00:00Z"}]}]}'
        $raw = New-ListingServer $full, (New-Answer 200) -List $list.After($gate.Task)
        $running = Start-Script "Lock-FleetGroup web -Id n1 -Wait -Uri $($raw.Url)"
        Wait-Until { $running.Output.Count -eq 1 }
        $running.Running.AsyncWaitHandle.WaitOne($Hang) | Should -BeTrue -Because 'the slot is granted'
        $gate.SetResult()
        $ended = Complete-Script $running
        $ended.Errors | Should -BeNullOrEmpty
        $ended.Progress.RecordType | Select-Object -Last 1 | Should -Be 'Completed'
    }

    It 'has no progress when the first try is granted' {
        $raw = New-RawServer
        $ended = Complete-Script (Start-Script "Lock-FleetGroup web -Id n1 -Wait -Uri $($raw.Url)")
        $ended.Output.Attempts | Should -Be 1
        $ended.Progress | Should -BeNullOrEmpty
    }

    It 'survives a server that is away for a while, and warns once' {
        $raw = New-RawServer $away, $away, (New-Answer 200)
        $ended = Complete-Script (Start-Script "Lock-FleetGroup web -Id n1 -Wait -RetryIntervalSec 1 -Uri $($raw.Url)")
        $ended.Output.Status, $ended.Output.Attempts | Should -Be @('Granted', 3)
        $ended.Errors | Should -BeNullOrEmpty
        $ended.Warnings.Count | Should -Be 1
    }

    It 'gives up after -WaitTimeoutSec, which implies -Wait, with the last answer in the message' {
        $raw = New-RawServer $full
        $null = Lock-FleetGroup web -Id n1 -WaitTimeoutSec 1 -Uri $raw.Url -ErrorAction SilentlyContinue -ErrorVariable failed
        $failed.Count | Should -Be 1
        $failed[0].FullyQualifiedErrorId | Should -BeLike 'FleetRequestTimedOut,*'
        $failed[0].CategoryInfo.Category | Should -Be 'OperationTimeout'
        "$($failed[0])" | Should -Match ' [1-9]\d* s; .*all 1 semaphore slots currently locked'
        @($raw.Requests | Where-Object Line -Match pre-reboot).Count | Should -BeIn 1, 2 -Because 'there is one last try at the deadline, if it is not over with the first'
        @($raw.Requests)[-1].Header('Prefer') | Should -BeNullOrEmpty
    }

    It 'tries once with -WaitTimeoutSec 0' {
        $raw = New-RawServer $full
        { Lock-FleetGroup web -Id n1 -WaitTimeoutSec 0 -Uri $raw.Url -ErrorAction Stop } | Should -Throw -ErrorId 'FleetRequestTimedOut,*'
        Get-Asked $raw | Should -Be '/v1/pre-reboot'
    }

    It 'sleeps no longer than -RetryIntervalSec' {
        $raw = New-ListingServer $full, $full, (New-Answer 200)
        $story = Lock-FleetGroup web -Id n1 -Wait -RetryIntervalSec 1 -Uri $raw.Url -Verbose 4>&1 | Where-Object { "$_" -like '*all 1 semaphore slots*' }
        $story.Count | Should -Be 2
        $story | ForEach-Object { "$_" | Should -Match ' 1(\.1)? s' }
    }

    It 'obeys Retry-After' {
        $raw = New-RawServer (New-Answer 429 '{"kind":"rate_limited","value":"slowly"}' 'Retry-After: 77')
        $waiting = Start-Script "Lock-FleetGroup web -Id n1 -Wait -Verbose -RetryIntervalSec 1 -Uri $($raw.Url)"
        Wait-Until { $waiting.Streams.Progress.Count -gt 0 }
        (Stop-Script $waiting).Verbose[1] | Should -Match ' (77|[78]\d)(\.\d)? s'
    }

    It 'takes the interval from the environment, and refuses a bad one before anything is sent' {
        $raw = New-RawServer
        $env:FLEETLOCK_RETRY_INTERVAL_SEC = 'soon'
        try {
            { Lock-FleetGroup web -Id n1 -Wait -Uri $raw.Url -ErrorAction Stop } | Should -Throw '*soon*' -ErrorId 'FleetTimeoutInvalid,*'
        }
        finally {
            $env:FLEETLOCK_RETRY_INTERVAL_SEC = $null
        }
        { Lock-FleetGroup web -Id n1 -Wait -RetryIntervalSec 0 -Uri $raw.Url } | Should -Throw -ErrorId 'ParameterArgumentValidationError,*'
        { Lock-FleetGroup web -Id n1 -WaitTimeoutSec -1 -Uri $raw.Url } | Should -Throw -ErrorId 'ParameterArgumentValidationError,*'
        $raw.Requests.Count | Should -Be 0
    }

    It 'waits for each of several ids at the same time' {
        $raw = New-RawServer (@(New-Answer 503 '{"kind":"store_unavailable","value":"away"}' 'Retry-After: 300') * 3 + (New-Answer 404))
        $waiting = Start-Script "'n1', 'n2', 'n3' | Lock-FleetGroup -Group web -Wait -Uri $($raw.Url)"
        Wait-Until { $raw.Requests.Count -eq 3 }
        (Stop-Script $waiting).State | Should -Be 'Stopped'
        @($raw.Requests | Where-Object Line -Match pre-reboot | ForEach-Object { ($_.Body | ConvertFrom-Json).client_params.id } | Sort-Object) | Should -Be @('n1', 'n2', 'n3')
    }

    It 'is granted each of several ids' {
        $raw = New-RawServer $away, $away, $away, (New-Answer 200)
        $granted = 'n1', 'n2', 'n3' | Lock-FleetGroup -Group web -Wait -Uri $raw.Url -WarningAction SilentlyContinue
        $granted.Id | Sort-Object | Should -Be @('n1', 'n2', 'n3')
    }

    It 'sends nothing with -WhatIf' {
        $raw = New-RawServer $full
        Lock-FleetGroup web -Id n1 -Wait -Uri $raw.Url -WhatIf | Should -BeNullOrEmpty
        $raw.Requests.Count | Should -Be 0
    }
}

Describe 'Lock-FleetGroup -Wait answered with <Case>' -ForEach $incurable {
    It 'gives up at once' {
        $raw = New-RawServer (New-Answer $Status $Body)
        $null = Lock-FleetGroup web -Id n1 -Wait -Uri $raw.Url -ErrorAction SilentlyContinue -ErrorVariable failed
        $failed[0].FullyQualifiedErrorId | Should -BeLike "$ErrorId,*"
        Get-Asked $raw | Where-Object { $_ -notlike '/v1/groups/web/grants/*' } | Should -Be '/v1/pre-reboot'
        Stop-RawServer $raw
    }
}

Describe 'Ctrl+C while Lock-FleetGroup waits' {
    AfterEach {
        Stop-RawServer $raw
        Set-InteractiveLimit InterruptedRelease
    }

    It 'releases what may have been granted when a try was under way' {
        $raw = New-ListingServer $full, ([FleetLock.TestKit.RawAnswer]::Never), (New-Answer 200)
        $waiting = Start-Script "Lock-FleetGroup web -Id n1 -Wait -Uri $($raw.Url)"
        Wait-Until { (Get-Tried $raw).Count -eq 2 }
        $stopped = Stop-Script $waiting
        $stopped.State | Should -Be 'Stopped'
        $stopped.Output | Should -BeNullOrEmpty
        Get-Tried $raw | Should -Be @('/v1/pre-reboot', '/v1/pre-reboot', "/v1/groups/web/grants/$(Get-GrantId $raw)?id=n1&reason=undo")
    }

    It 'ends between two tries' {
        $raw = New-RawServer (New-Answer 503 '{"kind":"store_unavailable","value":"away"}' 'Retry-After: 60'), (New-Answer 200)
        $waiting = Start-Script "Lock-FleetGroup web -Id n1 -Wait -Uri $($raw.Url)"
        Wait-Until { $waiting.Streams.Progress.Count -gt 0 }
        $stopped = Stop-Script $waiting
        $stopped.State | Should -Be 'Stopped'
        Get-Asked $raw | Select-Object -Skip 1 | Where-Object { $_ -notlike '/v1/groups/web/grants/*' } | Should -BeNullOrEmpty
    }

    It 'ends also when the server never answers the release' {
        Reset-InteractiveLimit InterruptedRelease
        $raw = New-RawServer ([FleetLock.TestKit.RawAnswer]::Never)
        $stopped = Invoke-Stopped "Lock-FleetGroup web -Id n1 -Wait -Uri $($raw.Url) -TimeoutSec 0" $raw
        $stopped.State | Should -Be 'Stopped'
    }
}

Describe 'Unlock-FleetGroup -Wait' {
    AfterEach {
        Stop-RawServer $raw
    }

    It 'keeps at it until it is acknowledged' {
        $raw = New-RawServer $away, (New-Answer 200)
        $ended = Complete-Script (Start-Script "Unlock-FleetGroup web -Id n1 -Wait -PassThru -Verbose -Uri $($raw.Url)")
        $ended.Output.Status, $ended.Output.Attempts | Should -Be @('Released', 2)
        $ended.Warnings.Count | Should -Be 1
        $ended.Verbose[1] | Should -BeLike '*Unlock*'
        $ended.Progress[0].Activity | Should -Be "Waiting for the release in group 'web'"
        $ended.Progress.RecordType | Select-Object -Last 1 | Should -Be 'Completed'
    }

    It 'gives up after -WaitTimeoutSec' {
        $raw = New-RawServer $away
        { Unlock-FleetGroup web -Id n1 -WaitTimeoutSec 1 -Uri $raw.Url -WarningAction SilentlyContinue -ErrorAction Stop } |
            Should -Throw -ErrorId 'FleetRequestTimedOut,*'
    }

    It 'gives up at once on what waiting cannot cure' {
        $raw = New-RawServer (New-Answer 400 '{"kind":"unknown_group","value":"no such group"}')
        { Unlock-FleetGroup web -Id n1 -Wait -Uri $raw.Url -ErrorAction Stop } | Should -Throw -ErrorId 'FleetGroupRefused,*'
        $raw.Requests.Count | Should -Be 1
    }

    It 'is ended by Ctrl+C' {
        $raw = New-RawServer $away
        $waiting = Start-Script "Unlock-FleetGroup web -Id n1 -Wait -PassThru -Uri $($raw.Url)"
        Wait-Until { $waiting.Streams.Progress.Count -gt 0 }
        $stopped = Stop-Script $waiting
        $stopped.State | Should -Be 'Stopped'
        $stopped.Output | Should -BeNullOrEmpty
    }
}
