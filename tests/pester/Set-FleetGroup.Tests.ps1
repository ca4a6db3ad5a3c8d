BeforeAll {
    . $PSScriptRoot/Common.ps1
}

Describe 'Set-FleetGroup against the real server' {
    BeforeAll {
        $server = Start-TestServer -Group 'workers=3', 'web=1'
        $null = 'n1', 'n2' | Lock-FleetGroup -Group workers -Uri $server.Uri
    }

    AfterAll {
        Stop-TestServer $server
    }

    It 'writes nothing, and the group with -PassThru' {
        Set-FleetGroup web -Slots 2 -Uri $server.Uri | Should -BeNullOrEmpty
        (Get-FleetGroup web -Uri $server.Uri).Slots | Should -Be 2
        (Set-FleetGroup web 4 -Uri $server.Uri -PassThru).Slots | Should -Be 4
    }

    It 'loses no holder when there are fewer slots than holders' {
        $workers = Set-FleetGroup workers -Slots 0 -Uri $server.Uri -PassThru
        $workers.Slots, $workers.Free | Should -Be @(0, 0)
        $workers.Holders.Id | Should -Be @('n1', 'n2')
        { Lock-FleetGroup workers -Id n3 -Uri $server.Uri -ErrorAction Stop } | Should -Throw -ErrorId 'FleetGroupBusy,*'
    }

    It 'takes groups from the pipeline, by value and from Get-FleetGroup' {
        ('workers', 'web' | Set-FleetGroup -Slots 5 -Uri $server.Uri -PassThru).Slots | Should -Be @(5, 5)
        (Get-FleetGroup w* -Uri $server.Uri | Set-FleetGroup -Slots 6 -PassThru).Group | Should -Be @('web', 'workers')
    }

    It 'writes the error FleetGroupNotFound for a group that is not there' {
        { Set-FleetGroup nope -Slots 1 -Uri $server.Uri -ErrorAction Stop } | Should -Throw -ErrorId 'FleetGroupNotFound,FleetLock.PowerShell.Commands.SetFleetGroupCommand'
    }

    It 'writes the server''s words for a number that it does not take' {
        { Set-FleetGroup web -Slots 1000000 -Uri $server.Uri -ErrorAction Stop } | Should -Throw -ErrorId 'FleetGroupRefused,*' -ExpectedMessage '*100000*'
    }
}

Describe 'Set-FleetGroup against literal answers' {
    It 'writes the error <ErrorId> for <Status> <Body>' -ForEach @(
        @{ Status = 403; Body = '{"kind":"forbidden","value":"not you"}'; ErrorId = 'FleetGroupRefused' }
        @{ Status = 404; Body = '404 page not found'; ErrorId = 'FleetProtocolError' }
        @{ Status = 200; Body = '{"group":"other","slots":1,"free":1,"holders":[]}'; ErrorId = 'FleetProtocolError' }
    ) {
        $raw = New-RawServer (New-Answer $Status $Body)
        { Set-FleetGroup web -Slots 1 -Uri $raw.Url -ErrorAction Stop } | Should -Throw -ErrorId "$ErrorId,FleetLock.PowerShell.Commands.SetFleetGroupCommand"
        Stop-RawServer $raw
    }

    It 'sends nothing with -WhatIf' {
        $raw = New-RawServer
        Set-FleetGroup web -Slots 1 -Uri $raw.Url -WhatIf -PassThru | Should -BeNullOrEmpty
        $raw.Requests.Count | Should -Be 0
        Stop-RawServer $raw
    }

    It 'is unreachable where nobody listens' {
        $raw = New-RawServer
        $url = $raw.Url
        Stop-RawServer $raw
        { Set-FleetGroup web -Slots 1 -Uri $url -ErrorAction Stop } | Should -Throw -ErrorId 'FleetServerUnreachable,*'
    }
}
