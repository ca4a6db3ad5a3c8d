BeforeAll {
    . $PSScriptRoot/Common.ps1
}

Describe 'Unlock-FleetGroup against the real server' {
    BeforeAll {
        $server = Start-TestServer -Group 'workers=3'
    }

    AfterAll {
        Stop-TestServer $server
    }

    It 'writes nothing, and the result with -PassThru' {
        Unlock-FleetGroup workers -Id n1 -Uri $server.Uri | Should -BeNullOrEmpty
        (Unlock-FleetGroup workers -Id n1 -Uri $server.Uri -PassThru).Status | Should -Be 'Released'
    }

    It 'releases each of the ids from the pipeline' {
        $null = 'n1', 'n2', 'n3' | Lock-FleetGroup -Group workers -Uri $server.Uri
        ('n1', 'n2', 'n3' | Unlock-FleetGroup -Group workers -ThrottleLimit 1 -Uri $server.Uri -PassThru).Id | Should -Be @('n1', 'n2', 'n3')
        @((Invoke-RestMethod "$($server.Uri)/v1/groups").groups[0].holders).Count | Should -Be 0
    }

    It 'takes groups from the pipeline' {
        ('workers' | Unlock-FleetGroup -Id n1 -Uri $server.Uri -PassThru).Group | Should -Be 'workers'
    }
}

Describe 'Unlock-FleetGroup against literal answers' {
    It 'writes the error <ErrorId> for <Status>' -ForEach @(
        @{ Status = 423; Body = '{"kind":"lock_held","value":"held by another"}'; ErrorId = 'FleetGroupBusy' }
        @{ Status = 400; Body = '{"kind":"unknown_group","value":"no such group"}'; ErrorId = 'FleetGroupRefused' }
        @{ Status = 500; Body = '{"kind":"failed_sem_init","value":"etcd is away"}'; ErrorId = 'FleetServerUnreachable' }
        @{ Status = 201; Body = ''; ErrorId = 'FleetProtocolError' }
    ) {
        $raw = New-RawServer (New-Answer $Status $Body)
        { Unlock-FleetGroup web -Id n1 -Uri $raw.Url -ErrorAction Stop } | Should -Throw -ErrorId "$ErrorId,FleetLock.PowerShell.Commands.UnlockFleetGroupCommand"
        @($raw.Requests)[0].Head | Should -BeLike 'POST /v1/steady-state HTTP/1.1*'
        Stop-RawServer $raw
    }

    It 'tries again at once when the server lost a race' {
        $raw = New-RawServer (New-Answer 500 '{"kind":"failed_lock","value":"conflict on semaphore detected, aborting"}'), (New-Answer 200)
        (Unlock-FleetGroup web -Id n1 -Uri $raw.Url -PassThru).Attempts | Should -Be 2
        Stop-RawServer $raw
    }

    It 'sends nothing with -WhatIf' {
        $raw = New-RawServer
        Unlock-FleetGroup web -Id n1 -Uri $raw.Url -WhatIf -PassThru | Should -BeNullOrEmpty
        $raw.Requests.Count | Should -Be 0
        Stop-RawServer $raw
    }

    It 'is unreachable where nobody listens' {
        $raw = New-RawServer
        $url = $raw.Url
        Stop-RawServer $raw
        { Unlock-FleetGroup web -Id n1 -Uri $url -ErrorAction Stop } | Should -Throw -ErrorId 'FleetServerUnreachable,*'
    }
}
