BeforeAll {
    . $PSScriptRoot/Common.ps1
}

Describe 'Test-FleetLock against the real server' {
    BeforeAll {
        $server = Start-TestServer -Group 'workers=3'
    }

    AfterAll {
        Stop-TestServer $server
    }

    It 'passes every check, in order' {
        $checks = Test-FleetLock workers -Uri $server.Uri
        $checks.Name | Should -Be @('Configuration', 'Identity', 'Connection', 'Protocol', 'Clock', 'Extensions')
        $checks.Passed | Should -Not -Contain $false
    }

    It 'is a Boolean with -Quiet' {
        Test-FleetLock workers -Uri $server.Uri -Quiet | Should -BeTrue
        Test-FleetLock no-such-group -Uri $server.Uri -Quiet | Should -BeFalse
    }

    It 'finds out a group that the server does not have' {
        $failed = Test-FleetLock no-such-group -Uri $server.Uri | Where-Object Passed -EQ $false
        $failed.Name | Should -Be 'Extensions'
        $failed.Advice | Should -BeLike '*workers*'
    }

    It 'resolves a name, and names each check with its time' {
        $checks = Test-FleetLock workers -Uri ($server.Uri -replace '127.0.0.1', 'localhost')
        $checks.Name | Should -Be @('Configuration', 'Identity', 'Name', 'Connection', 'Protocol', 'Clock', 'Extensions')
        $checks.Duration | Should -BeOfType timespan
    }

    It 'changes no slot' {
        $null = Lock-FleetGroup workers -Id n1 -Uri $server.Uri
        $before = Invoke-RestMethod "$($server.Uri)/v1/groups" | ConvertTo-Json -Depth 5
        $null = Test-FleetLock workers -Id n1 -Uri $server.Uri
        Invoke-RestMethod "$($server.Uri)/v1/groups" | ConvertTo-Json -Depth 5 | Should -Be $before
    }
}

Describe 'Test-FleetLock elsewhere' {
    It 'never sends pre-reboot, nor a request that could act' {
        $raw = New-RawServer (New-Answer 400 '{"kind":"missing_header","value":"no"}')
        $null = Test-FleetLock -Uri $raw.Url
        $raw.Requests.Line | Should -Be @('POST /v1/steady-state HTTP/1.1', 'GET /v1 HTTP/1.1', 'GET /v1/groups HTTP/1.1')
        @($raw.Requests)[0].Head | Should -Not -Match 'fleet-lock-protocol'
        @($raw.Requests)[0].Body | Should -Be '{}'
        Stop-RawServer $raw
    }

    It 'finds out <Name>' -ForEach @(
        @{ Name = 'a web site that accepts anything'; Status = 200; Body = 'welcome' }
        @{ Name = 'a wrong path'; Status = 404; Body = 'not found' }
        @{ Name = 'a redirect'; Status = 301; Body = '' }
        @{ Name = 'a login page'; Status = 401; Body = '<html>' }
    ) {
        $raw = New-RawServer (New-Answer $Status $Body)
        $failed = Test-FleetLock -Uri $raw.Url | Where-Object Passed -EQ $false
        $failed.Name | Should -Be 'Protocol'
        $failed.Advice | Should -Not -BeNullOrEmpty
        Test-FleetLock -Uri $raw.Url -Quiet | Should -BeFalse
        Stop-RawServer $raw
    }

    It 'writes each check as it comes' {
        $raw = New-RawServer ([FleetLock.TestKit.RawAnswer]::Never)
        $running = Start-Script "Test-FleetLock -Id n1 -Uri $($raw.Url)"
        Wait-Until { $running.Output.Count -eq 3 }
        $raw.Asked.Wait($Hang) | Should -BeTrue
        $stopped = Stop-Script $running
        $stopped.Output.Name | Should -Be @('Configuration', 'Identity', 'Connection')
        Stop-RawServer $raw
    }

    It 'stops at a server that is away' {
        $raw = New-RawServer
        $url = $raw.Url
        Stop-RawServer $raw
        $checks = Test-FleetLock -Uri $url
        $checks[-1].Name, $checks[-1].Passed | Should -Be @('Connection', $false)
    }

    It 'stops at a configuration that names no server' {
        $checks = @(Test-FleetLock)
        $checks.Count | Should -Be 1
        $checks[0].Passed | Should -BeFalse
        $checks[0].Message | Should -BeLike '*FLEETLOCK_URL*'
    }

    It 'finds out a bad id and goes on' {
        $raw = New-RawServer (New-Answer 400 '{"kind":"missing_header","value":"no"}')
        $checks = Test-FleetLock -Uri $raw.Url -Id "a`tb"
        ($checks | Where-Object Passed -EQ $false).Name | Should -Be 'Identity'
        $checks.Name | Should -Be @('Configuration', 'Identity', 'Connection', 'Protocol', 'Extensions')
        Stop-RawServer $raw
    }
}
