BeforeAll {
    . $PSScriptRoot/Common.ps1
}

Describe 'Get-FleetGroup against the real server' {
    BeforeAll {
        $server = Start-TestServer -Group 'workers=3', 'web=1', 'Web=2'
        $null = 'n1', 'n2' | Lock-FleetGroup -Group workers -Uri $server.Uri
    }

    AfterAll {
        Stop-TestServer $server
    }

    It 'shows every group, its slots and its holders' {
        $groups = Get-FleetGroup -Uri $server.Uri
        $groups.Group | Should -BeExactly @('Web', 'web', 'workers')
        $workers = $groups[2]
        $workers.Slots, $workers.Free, $workers.Waiting | Should -Be @(3, 1, 0)
        $workers.Holders.Id | Should -Be @('n1', 'n2')
        $workers.Holders[0].From | Should -Be '127.0.0.1'
        [datetimeoffset]::Now - $workers.Holders[0].Since | Should -BeLessThan ([timespan]::FromMinutes(10))
    }

    It 'shows <Name> as <Expected>, in exact case' -ForEach @(
        @{ Name = 'web'; Expected = @('web') }
        @{ Name = 'w*'; Expected = @('web', 'workers') }
        @{ Name = '[wW]eb'; Expected = @('Web', 'web') }
        @{ Name = 'workers', 'Web'; Expected = @('workers', 'Web') }
    ) {
        (Get-FleetGroup $Name -Uri $server.Uri).Group | Should -BeExactly $Expected
        ($Name | Get-FleetGroup -Uri $server.Uri).Group | Should -BeExactly $Expected
    }

    It 'takes groups from the pipeline by property name, and leads to the holders' {
        ([pscustomobject]@{ Group = 'workers'; Server = $server.Uri } | Get-FleetGroup | ForEach-Object Holders).Id | Should -Be @('n1', 'n2')
    }

    It 'writes an error for each name that the server does not have, and shows the others' {
        $groups = Get-FleetGroup nope, web, WORKERS -Uri $server.Uri -ErrorAction SilentlyContinue -ErrorVariable errors
        $groups.Group | Should -Be 'web'
        $errors.TargetObject | Should -BeExactly @('nope', 'WORKERS')
        $errors.FullyQualifiedErrorId | Select-Object -Unique | Should -Be 'FleetGroupNotFound,FleetLock.PowerShell.Commands.GetFleetGroupCommand'
        $errors[0].CategoryInfo.Category | Should -Be 'ObjectNotFound'
    }

    It 'writes nothing for a wildcard that fits none' {
        Get-FleetGroup nope* -Uri $server.Uri -ErrorAction Stop | Should -BeNullOrEmpty
    }

    It 'does not look for the configured group unless it is asked to' {
        $env:FLEETLOCK_GROUP = 'web'
        (Get-FleetGroup -Uri $server.Uri).Count | Should -Be 3
        $env:FLEETLOCK_GROUP = $null
    }
}

Describe 'Get-FleetGroup against literal answers' {
    It 'writes the error <ErrorId> for <Status> <Body>' -ForEach @(
        @{ Status = 401; Body = ''; ErrorId = 'FleetGroupRefused' }
        @{ Status = 403; Body = '{"kind":"forbidden","value":"not you"}'; ErrorId = 'FleetGroupRefused' }
        @{ Status = 404; Body = '404 page not found'; ErrorId = 'FleetProtocolError' }
        @{ Status = 302; Body = ''; ErrorId = 'FleetProtocolError' }
        @{ Status = 503; Body = '{"kind":"store_unavailable","value":"the store does not answer"}'; ErrorId = 'FleetServerUnreachable' }
        @{ Status = 200; Body = '<html>Please log in</html>'; ErrorId = 'FleetProtocolError' }
        @{ Status = 200; Body = '{"groups":[{"group":"web","slots":1,"free":1}]}'; ErrorId = 'FleetProtocolError' }
    ) {
        $raw = New-RawServer (New-Answer $Status $Body)
        { Get-FleetGroup -Uri $raw.Url -ErrorAction Stop } | Should -Throw -ErrorId "$ErrorId,FleetLock.PowerShell.Commands.GetFleetGroupCommand"
        Get-Asked $raw | Should -Be '/v1/groups'
        Stop-RawServer $raw
    }

    It 'is unreachable where nobody listens, and says what to do' {
        $raw = New-RawServer
        $url = $raw.Url
        Stop-RawServer $raw
        { Get-FleetGroup -Uri $url -ErrorAction Stop } | Should -Throw -ErrorId 'FleetServerUnreachable,*' -ExpectedMessage "*$url*"
    }

    It 'shows a group whose stored value is damaged, and a holder of whom only the id is known' {
        $raw = New-RawServer (New-Answer 200 '{"groups":[{"group":"bad","slots":0,"free":0,"holders":[],"fault":"not JSON"},{"group":"web","slots":1,"free":0,"holders":[{"id":"n1"}]}]}')
        $bad, $web = Get-FleetGroup -Uri $raw.Url
        $bad.Fault | Should -Be 'not JSON'
        $web.Holders[0].Since | Should -BeNullOrEmpty
        $web | Format-List | Out-String | Should -BeLike '*n1, since unknown, from unknown*'
        $bad | Format-Table | Out-String | Should -BeLike '*? not JSON*'
        Stop-RawServer $raw
    }

    It 'warns of a store that waits to be confirmed' {
        $raw = New-RawServer (New-Answer 200 '{"groups":[{"group":"web","slots":1,"free":1,"holders":[],"storeRestored":true}]}')
        $group = Get-FleetGroup -Uri $raw.Url -WarningAction SilentlyContinue -WarningVariable warnings
        $group.StoreRestored | Should -BeTrue
        "$warnings" | Should -BeLike '*Confirm-FleetStoreRestore*'
        $group | Format-List | Out-String | Should -BeLike '*StoreRestored*True*'
        Stop-RawServer $raw
    }

    It 'wants a server' {
        { Get-FleetGroup -ErrorAction Stop } | Should -Throw -ErrorId 'FleetServerInvalid,*'
    }
}
