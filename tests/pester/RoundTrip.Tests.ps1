BeforeAll {
    . $PSScriptRoot/Common.ps1

    # What a file of Export-Clixml gives back.
    function Read-Again {
        param([Parameter(ValueFromPipeline)] $Object)

        $path = Join-Path $TestDrive 'again.xml'
        $input | Export-Clixml $path
        Import-Clixml $path
    }

    # What a person sees in the view of the module, without colours.
    function Get-Seen {
        param([Parameter(ValueFromPipeline)] $Object)

        ($input | Out-String -Width 120) -replace '\e\[[\d;]*m'
    }
}

Describe 'What the cmdlets write, in files' {
    BeforeAll {
        $server = Start-TestServer -Group 'workers=3', 'web=1', 'db=2'
        $null = 'n10', 'n2', 'n1' | Lock-FleetGroup -Group workers -Uri $server.Uri
    }

    AfterAll {
        Stop-TestServer $server
    }

    It 'has the names of the status and the operation in JSON, and times that can be read' {
        $json = Lock-FleetGroup web -Id n1 -Uri $server.Uri | ConvertTo-Json
        $json | Should -Match '"Status": *"Granted"'
        $json | Should -Match '"Operation": *"Lock"'
        $again = $json | ConvertFrom-Json
        $again.Group, $again.Id, $again.Server, $again.Attempts | Should -Be @('web', 'n1', $server.Uri, 1)
        $again.Elapsed.TotalMilliseconds | Should -BeGreaterThan 0
        [datetimeoffset]::Now - [datetimeoffset]$again.Time | Should -BeLessThan ([timespan]::FromMinutes(10))
    }

    It 'has the names in JSON with -EnumsAsStrings, also where the engine writes enumerations as numbers' {
        $settings = Join-Path $TestDrive 'powershell.config.json'
        '{"ExperimentalFeatures":["PSSerializeJSONLongEnumAsNumber"]}' | Set-Content $settings
        $json = & $EngineProgram @EngineArguments -NoProfile -NonInteractive -SettingsFile $settings -Command "Import-Module '$ModulePath'; Lock-FleetGroup web -Id n1 -Uri $($server.Uri) | ConvertTo-Json -EnumsAsStrings"
        ($json | ConvertFrom-Json).Status, ($json | ConvertFrom-Json).Operation | Should -Be @('Granted', 'Lock')
    }

    It 'leads on from JSON: the slot that it tells of can be released' {
        $again = Lock-FleetGroup db -Id n7 -Uri $server.Uri | ConvertTo-Json | ConvertFrom-Json
        ($again | Unlock-FleetGroup -PassThru).Status | Should -Be 'Released'
        Get-Holder $server db | Should -BeNullOrEmpty
    }

    It 'shows the holders of one group whole in JSON, as deep as it goes by itself' {
        $json = Get-FleetGroup workers -Uri $server.Uri | ConvertTo-Json -WarningVariable warned -WarningAction SilentlyContinue
        $warned | Should -BeNullOrEmpty
        $again = $json | ConvertFrom-Json
        $again.Group, $again.Slots, $again.Free, $again.Server | Should -Be @('workers', 3, 0, $server.Uri)
        $again.Holders.Id | Should -Be @('n1', 'n10', 'n2')
        $again.Holders[0].From | Should -Be '127.0.0.1'
    }

    It 'shows the holders of several groups by their ids in JSON, where it is cut off, and whole with -Depth 3' {
        $groups = Get-FleetGroup w* -Uri $server.Uri
        ($groups | ConvertTo-Json -WarningAction SilentlyContinue | ConvertFrom-Json)[1].Holders | Should -Be @('n1', 'n10', 'n2')
        ($groups | ConvertTo-Json -Depth 3 | ConvertFrom-Json)[1].Holders.Id | Should -Be @('n1', 'n10', 'n2')
    }

    It 'is the same after Export-Clixml: a result' {
        $granted = Lock-FleetGroup web -Id n1 -Uri $server.Uri
        $again = $granted | Read-Again
        $again.PSTypeNames[0] | Should -Be 'Deserialized.FleetLock.FleetLockResult'
        $again.Status -eq 'Granted' | Should -BeTrue
        $again.Operation -eq 'Lock' | Should -BeTrue
        $again.Elapsed | Should -Be $granted.Elapsed
        $again | Get-Seen | Should -Be ($granted | Get-Seen)
        ($again | Unlock-FleetGroup -PassThru).Status | Should -Be 'Released'
    }

    It 'is the same after Export-Clixml: the result in an error record, and in a forced release' {
        $null = Lock-FleetGroup workers -Id n9 -Uri $server.Uri -ErrorAction SilentlyContinue -ErrorVariable refused
        $again = $refused[0].TargetObject | Read-Again
        $again.Status, $again.Id | Should -Be @('Busy', 'n9')
        $null = Lock-FleetGroup db -Id n3 -Uri $server.Uri
        $freed = Unlock-FleetGroup db -Id n3 -Force -Reason dead -Uri $server.Uri -PassThru | Read-Again
        $freed.Holder.Id | Should -Be 'n3'
        $freed.Holder.Since.LocalDateTime | Should -BeOfType datetime
    }

    It 'is the same after Export-Clixml: groups and their holders, in every view' {
        $groups = Get-FleetGroup -Uri $server.Uri
        $again = $groups | Read-Again
        $again.Group | Should -Be $groups.Group
        $again[2].Holders.Id | Should -Be $groups[2].Holders.Id
        $again | Get-Seen | Should -Be ($groups | Get-Seen)
        $again | Format-List | Get-Seen | Should -Be ($groups | Format-List | Get-Seen)
        $again.Holders | Get-Seen | Should -Be ($groups.Holders | Get-Seen)
        $again.Holders | Format-List Id, From | Get-Seen | Should -Be ($groups.Holders | Format-List Id, From | Get-Seen)
    }

    It 'is the same after Export-Clixml: holders by themselves, whose slots can be freed' {
        $null = Lock-FleetGroup db -Id n4 -Uri $server.Uri
        $again = (Get-FleetGroup db -Uri $server.Uri).Holders | Read-Again
        $again | Unlock-FleetGroup -Force -Reason dead
        Get-Holder $server db | Should -BeNullOrEmpty
    }

    It 'is the same after Export-Clixml, and whole in JSON: checks and configuration' {
        $checks = Test-FleetLock workers -Uri $server.Uri
        $again = $checks | Read-Again
        $again | Get-Seen | Should -Be ($checks | Get-Seen)
        $again[0].Duration | Should -Be $checks[0].Duration
        ($checks | ConvertTo-Json | ConvertFrom-Json).Name | Should -Be $checks.Name

        $env:FLEETLOCK_URL = $server.Uri
        $settings = Get-FleetLockConfiguration
        $env:FLEETLOCK_URL = $null
        $settings | Read-Again | Get-Seen | Should -Be ($settings | Get-Seen)
        ($settings | ConvertTo-Json | ConvertFrom-Json | Where-Object Name -EQ Url).Value | Should -Be $server.Uri
    }

    It 'has of a server of one''s own no more than what names it' {
        $own = Start-FleetLockServer
        $again = $own | Read-Again
        $again.Uri, $again.ProcessId, $again.IsRunning | Should -Be @($own.Uri, $own.ProcessId, $true)
        $again | Get-Seen | Should -Be ($own | Get-Seen)
        $json = $own | ConvertTo-Json -WarningVariable warned -WarningAction SilentlyContinue
        $warned | Should -BeNullOrEmpty
        ($json | ConvertFrom-Json).PSObject.Properties.Name | Sort-Object | Should -Be @('Description', 'ExitCode', 'IsDetached', 'IsRunning', 'ProcessId', 'Uri')
        $own | Stop-FleetLockServer
    }
}

Describe 'What the cmdlets write, for the next command' {
    BeforeAll {
        $server = Start-TestServer -Group 'workers=9', 'web=2', 'db=2'
    }

    AfterAll {
        Stop-TestServer $server
    }

    AfterEach {
        foreach ($group in 'workers', 'web', 'db') { Get-Holder $server $group | Unlock-FleetGroup -Group $group -Uri $server.Uri }
    }

    It 'leads from a lock to an unlock' {
        Lock-FleetGroup web -Id n1 -Uri $server.Uri | Unlock-FleetGroup
        Get-Holder $server web | Should -BeNullOrEmpty
    }

    It 'leads from groups to a lock in each' {
        $granted = Get-FleetGroup w* -Uri $server.Uri | Lock-FleetGroup -Id n1 -ThrottleLimit 1
        $granted.Group | Should -Be @('web', 'workers')
        $granted.Id | Select-Object -Unique | Should -Be 'n1'
    }

    It 'leads from groups to themselves, and to the doctor' {
        (Get-FleetGroup w* -Uri $server.Uri | Get-FleetGroup).Group | Should -Be @('web', 'workers')
        (Get-FleetGroup w* -Uri $server.Uri | Test-FleetLock -Quiet) | Should -Be @($true, $true)
    }

    It 'leads from holders to a forced release, and frees nothing with -WhatIf' {
        $null = 'n1', 'n2' | Lock-FleetGroup -Group workers -Uri $server.Uri
        (Get-FleetGroup workers -Uri $server.Uri).Holders | Unlock-FleetGroup -Force -Reason r -WhatIf
        Get-Holder $server workers | Should -Be @('n1', 'n2')
        (Get-FleetGroup workers -Uri $server.Uri).Holders | Unlock-FleetGroup -Force -Reason r
        Get-Holder $server workers | Should -BeNullOrEmpty
    }

    It 'is sorted by its names when nothing is said' {
        $null = 'n2', 'n1' | Lock-FleetGroup -Group workers -Uri $server.Uri
        $null = 'n3' | Lock-FleetGroup -Group db -Uri $server.Uri
        $groups = Get-FleetGroup -Uri $server.Uri
        ($groups[2], $groups[0], $groups[1] | Sort-Object).Group | Should -Be @('db', 'web', 'workers')
        ($groups[2].Holders[1], $groups[2].Holders[0], $groups[0].Holders[0] | Sort-Object).Id | Should -Be @('n3', 'n1', 'n2')
        ('workers', 'web' | Lock-FleetGroup -Id n9 -Uri $server.Uri | Sort-Object).Group | Should -Be @('web', 'workers')
        "$($groups[2]): $($groups[2].Holders)" | Should -Be 'workers: n1 n2'
    }
}
