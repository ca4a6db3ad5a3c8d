BeforeDiscovery {
    # What answers a lock → the error that follows. A new case is one line.
    $refusals = @(
        @{ Case = 'a full group (ours)'; Status = 409; Body = '{"kind":"failed_lock_semaphore_full","value":"all 1 semaphore slots currently locked"}'; Id = 'FleetGroupBusy'; Category = 'ResourceBusy' }
        @{ Case = 'a full group (airlock)'; Status = 500; Body = '{"kind":"failed_lock","value":"all 1 semaphore slots currently locked"}'; Id = 'FleetGroupBusy'; Category = 'ResourceBusy' }
        @{ Case = 'a reserved slot'; Status = 202; Body = '{"kind":"waiting_for_node_drain","value":"draining"}'; Id = 'FleetGroupPending'; Category = 'ResourceBusy' }
        @{ Case = 'an unknown group'; Status = 400; Body = '{"kind":"unknown_group","value":"no such group"}'; Id = 'FleetGroupRefused'; Category = 'InvalidArgument' }
        @{ Case = 'missing credentials'; Status = 401; Body = '{"kind":"unauthorized_request","value":"who are you"}'; Id = 'FleetGroupRefused'; Category = 'PermissionDenied' }
        @{ Case = 'a gateway without a server'; Status = 502; Body = '<html>Bad Gateway</html>'; Id = 'FleetServerUnreachable'; Category = 'ConnectionError' }
        @{ Case = 'another success code'; Status = 204; Body = ''; Id = 'FleetProtocolError'; Category = 'ProtocolError' }
        @{ Case = 'a web site'; Status = 404; Body = '<html>Not Found</html>'; Id = 'FleetProtocolError'; Category = 'ProtocolError' }
        @{ Case = 'a broken error body'; Status = 500; Body = '{"kind":'; Id = 'FleetProtocolError'; Category = 'ProtocolError' }
    )
}

BeforeAll {
    . $PSScriptRoot/Common.ps1
}

Describe 'Lock-FleetGroup against the real server' {
    BeforeAll {
        $server = Start-TestServer -Group 'workers=2', 'web=1', 'db=1'
    }

    AfterAll {
        Stop-TestServer $server
    }

    AfterEach {
        foreach ($group in 'workers', 'web', 'db') { 'n1', 'n2', 'n3' | Unlock-FleetGroup -Uri $server.Uri -Group $group }
    }

    It 'writes the grant as an object' {
        $granted = Lock-FleetGroup web -Id n1 -Uri $server.Uri
        $granted | Should -BeOfType FleetLock.FleetLockResult
        $granted.Operation, $granted.Status, $granted.Group, $granted.Id, $granted.HttpStatus | Should -Be @('Lock', 'Granted', 'web', 'n1', 200)
    }

    It 'takes groups from the pipeline' {
        ('web', 'db' | Lock-FleetGroup -Id n1 -ThrottleLimit 1 -Uri $server.Uri).Group | Should -Be @('web', 'db')
    }

    It 'takes ids from the pipeline when the group is given, and refuses only those for whom there is no slot' {
        $granted = 'n1', 'n2', 'n3' | Lock-FleetGroup -Group workers -ThrottleLimit 1 -Uri $server.Uri -ErrorAction SilentlyContinue -ErrorVariable refused
        $granted.Id | Should -Be @('n1', 'n2')
        $refused.TargetObject.Id | Should -Be 'n3'
    }

    It 'takes group, id and server from the pipeline by property name' {
        $granted = [pscustomobject]@{ Group = 'web'; Id = 'n2'; Server = $server.Uri }, [pscustomobject]@{ Group = 'db'; Id = 'n1'; Uri = $server.Uri } | Lock-FleetGroup -ThrottleLimit 1
        $granted.Group | Should -Be @('web', 'db')
        $granted.Id | Should -Be @('n2', 'n1')
    }

    It 'takes several groups and ids as arguments' {
        (Lock-FleetGroup -Group web, db -Id n1 -ThrottleLimit 1 -Uri $server.Uri).Group | Should -Be @('web', 'db')
    }

    It 'gives its object to Unlock-FleetGroup, which needs nothing else' {
        Lock-FleetGroup web -Id n1 -Uri $server.Uri | Unlock-FleetGroup -PassThru | ForEach-Object Status | Should -Be 'Released'
        (Lock-FleetGroup web -Id n2 -Uri $server.Uri).Status | Should -Be 'Granted'
    }

    It 'is false in an if when it is refused' {
        $null = Lock-FleetGroup web -Id n1 -Uri $server.Uri
        $held = if (Lock-FleetGroup web -Id n2 -Uri $server.Uri -ErrorAction SilentlyContinue) { 'held' } else { 'not held' }
        $held | Should -Be 'not held'
    }

    It 'reads the environment where nothing is given' {
        $env:FLEETLOCK_URL, $env:FLEETLOCK_GROUP, $env:FLEETLOCK_ID = $server.Uri, 'db', 'n3'
        try {
            $granted = Lock-FleetGroup
            $granted.Group, $granted.Id | Should -Be @('db', 'n3')
        }
        finally {
            $env:FLEETLOCK_URL, $env:FLEETLOCK_GROUP, $env:FLEETLOCK_ID = $null, $null, $null
        }
    }

    It 'tells the story of a lock with -Verbose' {
        $story = Lock-FleetGroup web -Id n1 -Uri $server.Uri -Verbose 4>&1 | Where-Object { $_ -is [Management.Automation.VerboseRecord] }
        "$story" | Should -BeLike "*'web'*'n1'*$($server.Uri): Granted*"
        @($story).Count | Should -BeLessOrEqual 5
    }

    It 'undoes a lock whose result -Verbose keeps from being written' {
        $caught = try { & { $VerbosePreference = 'Stop'; Lock-FleetGroup web -Id n1 -Uri $server.Uri } } catch { $_ }
        $caught | Should -BeOfType Management.Automation.ErrorRecord
        Get-Holder $server web | Should -BeNullOrEmpty
    }
}

Describe 'Lock-FleetGroup answered with <Case>' -ForEach $refusals {
    BeforeAll {
        $raw = New-RawServer (New-Answer $Status $Body)
    }

    AfterAll {
        Stop-RawServer $raw
    }

    It 'writes the error <Id> and no object' {
        $answer = Lock-FleetGroup web -Id n1 -Uri $raw.Url -ErrorAction SilentlyContinue -ErrorVariable refused
        $succeeded = $?
        $answer | Should -BeNullOrEmpty
        $succeeded | Should -BeFalse
        $refused.Count | Should -Be 1
        $refused[0].FullyQualifiedErrorId | Should -Be "$Id,FleetLock.PowerShell.Commands.LockFleetGroupCommand"
        $refused[0].CategoryInfo.Category | Should -Be $Category
        $refused[0].TargetObject.HttpStatus | Should -Be $Status
        $refused[0].Exception | Should -BeOfType FleetLock.FleetLockException
    }

    It 'ends the script with -ErrorAction Stop' {
        { Lock-FleetGroup web -Id n1 -Uri $raw.Url -ErrorAction Stop } | Should -Throw -ErrorId "$Id,*" -ExceptionType FleetLock.FleetLockException
    }
}

Describe 'Lock-FleetGroup without an answer' {
    It 'says that the server is unreachable' {
        $raw = New-RawServer
        $url = $raw.Url
        Stop-RawServer $raw
        { Lock-FleetGroup web -Id n1 -Uri $url -ErrorAction Stop } | Should -Throw -ErrorId 'FleetServerUnreachable,*'
    }

    It 'does not follow a redirect to a page that says 200' {
        $raw = New-RawServer (New-Answer 302 '' 'Location: /login'), (New-Answer 200 'welcome')
        { Lock-FleetGroup web -Id n1 -Uri $raw.Url -ErrorAction Stop } | Should -Throw -ErrorId 'FleetProtocolError,*'
        Get-Asked $raw | Should -Be @('/v1/pre-reboot', "/v1/groups/web/grants/$(Get-GrantId $raw)?id=n1&reason=undo")
        Stop-RawServer $raw
    }

    It 'gives up after -TimeoutSec and says that the outcome is unknown' {
        $raw = New-RawServer ([FleetLock.TestKit.RawAnswer]::Never)
        $null = Lock-FleetGroup web -Id n1 -Uri $raw.Url -TimeoutSec 1 -ErrorAction SilentlyContinue -ErrorVariable failed
        $failed[0].FullyQualifiedErrorId | Should -BeLike 'FleetRequestTimedOut,*'
        $failed[0].CategoryInfo.Category | Should -Be 'OperationTimeout'
        $failed[0].TargetObject.OutcomeUnknown | Should -BeTrue
        "$($failed[0])".Contains([FleetLock.Advice]::UnknownOutcome('Lock')) | Should -BeTrue
        Stop-RawServer $raw
    }
}

Describe 'Lock-FleetGroup and what is not sent' {
    BeforeAll {
        $raw = New-RawServer
    }

    AfterAll {
        Stop-RawServer $raw
    }

    It 'sends nothing with -WhatIf' {
        Lock-FleetGroup web -Id n1 -Uri $raw.Url -WhatIf | Should -BeNullOrEmpty
        $raw.Requests.Count | Should -Be 0
    }

    It 'refuses <Name> before anything is sent' -ForEach @(
        @{ Name = 'a bad group'; Arguments = @{ Group = 'a_b'; Id = 'n1' }; ErrorId = 'FleetGroupInvalid'; Text = "*'a_b'*" }
        @{ Name = 'an id with a control character'; Arguments = @{ Group = 'web'; Id = "n`e[31m1" }; ErrorId = 'FleetNodeIdInvalid'; Text = '*n ?31m1*' }
        @{ Name = 'an id of 256 characters'; Arguments = @{ Group = 'web'; Id = 'x' * 256 }; ErrorId = 'FleetNodeIdInvalid'; Text = '*256*255*' }
        @{ Name = 'a URL with a query'; Arguments = @{ Group = 'web'; Id = 'n1'; Uri = 'http://127.0.0.1:1/?a=b' }; ErrorId = 'FleetServerInvalid'; Text = '*http://127.0.0.1:1/*' }
        @{ Name = 'a URL that is not http'; Arguments = @{ Group = 'web'; Id = 'n1'; Uri = 'ftp://127.0.0.1' }; ErrorId = 'FleetServerInvalid'; Text = '*ftp://127.0.0.1*' }
    ) {
        $given = @{ Uri = $raw.Url } + @{}
        foreach ($key in $Arguments.Keys) { $given[$key] = $Arguments[$key] }
        $null = Lock-FleetGroup @given -ErrorAction SilentlyContinue -ErrorVariable failed
        $failed[0].FullyQualifiedErrorId | Should -BeLike "$ErrorId,*"
        $failed[0].CategoryInfo.Category | Should -Be 'InvalidArgument'
        "$($failed[0])" | Should -BeLike $Text
        $raw.Requests.Count | Should -Be 0
    }

    It 'refuses an empty <_>' -ForEach 'Group', 'Id' {
        $given = @{ Group = 'web'; Id = 'n1'; Uri = $raw.Url }
        $given[$_] = ''
        { Lock-FleetGroup @given -ErrorAction Stop } | Should -Throw -ErrorId 'ParameterArgumentValidationErrorEmptyStringNotAllowed,*'
        $raw.Requests.Count | Should -Be 0
    }

    It 'has no server of its own: a missing address is an error that says what to set' {
        { Lock-FleetGroup web -Id n1 -ErrorAction Stop } | Should -Throw '*FLEETLOCK_URL*' -ErrorId 'FleetServerInvalid,*'
    }

    It 'goes on with the next pipeline item after a bad one' {
        $granted = 'good', 'a_b', 'better' | Lock-FleetGroup -Id n1 -ThrottleLimit 1 -Uri $raw.Url -ErrorAction SilentlyContinue -ErrorVariable failed
        $granted.Group | Should -Be @('good', 'better')
        $failed.Count | Should -Be 1
    }

    It 'never shows the password of a URL' {
        $url = $raw.Url -replace '://', '://user:s3cret@'
        # The records' InvocationInfo is the engine's, and repeats the caller's own command; what the module writes has no password.
        $everything = Lock-FleetGroup web -Id n1 -Uri $url -Verbose *>&1 | ForEach-Object { "$_"; if ($_ -is [FleetLock.FleetLockResult]) { $_ | ConvertTo-Json } }
        $everything += Lock-FleetGroup web -Id n1 -Uri "${url}/?x=1" -ErrorAction Continue *>&1 | ForEach-Object { "$_"; $_.Exception | Format-List * -Force | Out-String }
        $everything | Should -Not -BeNullOrEmpty
        "$everything" | Should -Not -Match 's3cret'
        ($raw.Requests | Select-Object -Last 1).Head | Should -Match 'Authorization: Basic dXNlcjpzM2NyZXQ='
    }
}
