BeforeAll {
    . $PSScriptRoot/Common.ps1
    $raw = New-RawServer

    # What a person sees on a terminal of so many columns, line by line, without colours.
    function Get-Line {
        param([int] $Width, [Parameter(ValueFromPipeline)] $Object)

        (($input | Out-String -Width $Width) -replace '\e\[[\d;]*m').Trim() -split '\r?\n'
    }
}

AfterAll {
    Stop-RawServer $raw
}

Describe 'The table views' {
    It 'show a grant in one line of 80 columns' {
        $table = Lock-FleetGroup controllers -Id 35ba2101ae3f4d45b96e9c51f461bbff -Uri $raw.Url | Get-Line 80
        $table[0] | Should -Match '^Status +Group +Id +New +Time +Server$'
        $table.Count | Should -Be 3
        $table[2] | Should -Match '^Granted +controllers +35ba2101ae3f4d45b96e9c51f461bbff +\d\d:\d\d:\d\d '
    }

    It 'show a grant whole in 120 columns' {
        $table = Lock-FleetGroup controllers -Id 35ba2101ae3f4d45b96e9c51f461bbff -Uri $raw.Url | Get-Line 120
        $table[2] | Should -Match "$([regex]::Escape($raw.Url))$"
        $table | Where-Object Length -GT 120 | Should -BeNullOrEmpty
    }

    It 'show the checks with the advice where one failed' {
        $checks = Test-FleetLock -Uri $raw.Url
        $advice = ($checks | Where-Object Name -EQ Protocol).Advice
        $advice | Should -Not -BeNullOrEmpty
        $table = $checks | Get-Line 300
        $table[0] | Should -Match '^Name +Passed +Message'
        "$($table -match '^Protocol')" | Should -BeLike "Protocol * False *$advice*"
    }

    It 'show the checks whole in 120 columns' {
        $checks = Test-FleetLock -Uri $raw.Url
        $table = $checks | Get-Line 120
        $table | Where-Object Length -GT 120 | Should -BeNullOrEmpty
        $text = $table -join '' -replace '\s'
        foreach ($check in $checks) { $text.Contains($check.Advice -replace '\s') | Should -BeTrue -Because $check.Advice }
    }

    It 'show groups in one line each, with the first of many holders and without what steers a terminal' {
        $list = New-RawServer (New-Answer 200 '{"groups":[{"group":"idle","slots":2,"free":2,"holders":[]},{"group":"workers","slots":6,"free":0,"waiting":12,"holders":[{"id":"n1"},{"id":"n\u001b[2J2"},{"id":"n3"},{"id":"n4"},{"id":"n5"},{"id":"n6"}]}]}')
        $groups = Get-FleetGroup -Uri $list.Url
        $table = $groups | Get-Line 80
        $table[0] | Should -Match '^Group +Slots +Free +Waiting +Holders$'
        $table[2] | Should -Match '^idle +2 +2 +0 *$'
        $table[3] | Should -Match '^workers +6 +0 +12 n1, n \[2J2, n3, n4, and 2 more$'
        $table.Count | Should -Be 4
        "$($groups[1] | Format-List | Out-String)" | Should -Not -Match '\e\[2J'
        Stop-RawServer $list
    }

    It 'show holders in one line of 80 columns' {
        $list = New-RawServer (New-Answer 200 '{"groups":[{"group":"controllers","slots":1,"free":0,"holders":[{"id":"35ba2101ae3f4d45b96e9c51f461bbff","since":"2026-03-01T12:00:00Z","from":"192.168.100.1"},{"id":"n2"}]}]}')
        $table = (Get-FleetGroup -Uri $list.Url).Holders | Get-Line 80
        $table[0] | Should -Match '^Group +Id +Since +From$'
        $table[2] | Should -Match '^controllers +35ba2101ae3f4d45b96e9c51f461bbff 2026-0\d-\d\d \d\d:\d\d:\d\d 192\.168\.100\.1$'
        $table[3] | Should -Match '^controllers +n2 +unknown +unknown$'
        Stop-RawServer $list
    }

    It 'show the configuration as a table whole in 120 columns' {
        $env:FLEETLOCK_URL = $raw.Url
        $table = Get-FleetLockConfiguration | Get-Line 120
        $env:FLEETLOCK_URL = $null
        $table[0] | Should -Match '^Name +Value +Source'
        $table[2] | Should -Match "^Url +$([regex]::Escape($raw.Url)) +FLEETLOCK_URL"
        "$table" | Should -Not -Match '…'
        $table | Where-Object Length -GT 120 | Should -BeNullOrEmpty
    }

    It 'fit <Width> columns with ids of 32 characters, long names and a long server' -ForEach @{ Width = 80 }, @{ Width = 120 } {
        $long = 'https://fleetlock.a-rather-long-name.of-a-data-centre.example.net:8443/behind/a/path'
        $id = '35ba2101ae3f4d45b96e9c51f461bbff'
        $body = @{ groups = @(@{ group = 'controllers-of-the-second-cluster'; slots = 100000; free = 99995; waiting = 1234567; holders = @(1..5 | ForEach-Object { @{ id = $id; since = '2026-03-01T12:00:00Z'; from = '2001:db8:85a3:8d3:1319:8a2e:370:7348' } }) }) } | ConvertTo-Json -Depth 5
        $list = New-RawServer (New-Answer 200 $body)
        $group = Get-FleetGroup -Uri $list.Url
        Stop-RawServer $list
        $env:FLEETLOCK_URL, $env:FLEETLOCK_ID, $env:FLEETLOCK_CA_CERTIFICATE_PATH = $long, $id, '/etc/ssl/certs/the-authority-of-the-whole-data-centre.pem'
        $settings = Get-FleetLockConfiguration
        $env:FLEETLOCK_URL, $env:FLEETLOCK_ID, $env:FLEETLOCK_CA_CERTIFICATE_PATH = $null, $null, $null
        $result = [FleetLock.FleetLockResult]@{ Operation = 'Lock'; Status = 'Granted'; Group = 'controllers-of-the-second-cluster'; Id = $id; Server = $long; Message = 'granted' }
        foreach ($objects in $result, $group, $group.Holders, $settings) {
            $table = $objects | Get-Line $Width
            $table | Where-Object Length -GT $Width | Should -BeNullOrEmpty
            $table.Count | Should -BeGreaterThan 2
        }
        "$($result | Get-Line 80)" | Should -BeLike "*$id*"
        "$($group.Holders[0] | Get-Line 80)" | Should -BeLike "*$id 2026-03-01*"
        ($settings | Get-Line $Width) -join '' -replace '\s' | Should -BeLike "*$($id)*"
    }

    It 'show the holders of a group readably as a list' {
        $list = New-RawServer (New-Answer 200 '{"groups":[{"group":"web","slots":2,"free":0,"holders":[{"id":"n1","since":"2026-03-01T12:00:00Z","from":"10.0.0.1"},{"id":"n2"}]}]}')
        $text = Get-FleetGroup -Uri $list.Url | Format-List | Get-Line 120
        Stop-RawServer $list
        $text | Should -Contain 'Group   : web'
        "$text" | Should -Match 'Holders : n1, since 2026-0\d-\d\d \d\d:\d\d:\d\d, from 10\.0\.0\.1 +n2, since unknown, from unknown'
    }
}

Describe 'Times' {
    It 'have the year and the digits of everybody in <_>' -ForEach 'th-TH', 'ar-SA', 'fa-IR', 'fi-FI' {
        $list = New-RawServer (New-Answer 200 '{"groups":[{"group":"web","slots":2,"free":1,"holders":[{"id":"n1","since":"2026-03-01T12:00:00Z","lastAsked":"2026-03-01T12:00:00Z"}]}]}')
        $before = [cultureinfo]::CurrentCulture
        try {
            [cultureinfo]::CurrentCulture = $_
            $group = Get-FleetGroup -Uri $list.Url
            $shown = ($group | Format-List), ($group.Holders | Format-Table), ($group.Holders | Format-List) | ForEach-Object { $_ | Get-Line 120 }
            $granted = Lock-FleetGroup web -Id n1 -Uri $raw.Url | Get-Line 120
        }
        finally {
            [cultureinfo]::CurrentCulture = $before
            Stop-RawServer $list
        }
        [regex]::Matches("$shown", '2026-0\d-\d\d \d\d:\d\d:\d\d').Count | Should -Be 4
        "$granted" | Should -Match ' \d\d:\d\d:\d\d '
    }
}

Describe 'Colour' {
    BeforeAll {
        # What `$PSStyle` is told → whether a view may have escape sequences. In an engine of its own, because it belongs to the session.
        function Get-Raw {
            param([string] $Rendering, [string] $Command)

            (Complete-Script (Start-Script "`$PSStyle.OutputRendering = '$Rendering'; $Command")).Output
        }

        $away = New-RawServer
        $nowhere = $away.Url
        Stop-RawServer $away
    }

    It 'is in the tables when $PSStyle says so' {
        "$(Get-Raw Ansi "Lock-FleetGroup web -Id n1 -Uri $($raw.Url) | Out-String")" | Should -Match '\e\[32mGranted\e\[0m'
        "$(Get-Raw Ansi "Test-FleetLock -Uri $nowhere | Out-String")" | Should -Match '\e\[31mFalse\e\[0m'
    }

    It 'is not there with <_>, nor in what is piped on' -ForEach 'PlainText', 'Host' {
        "$(Get-Raw $_ "Lock-FleetGroup web -Id n1 -Uri $($raw.Url) | Out-String")" | Should -Not -Match '\e'
        "$(Get-Raw $_ "Test-FleetLock -Uri $nowhere | Out-String")" | Should -Not -Match '\e'
        $path = Join-Path $TestDrive 'table.txt'
        $null = Get-Raw $_ "Lock-FleetGroup web -Id n1 -Uri $($raw.Url) > '$path'"
        Get-Content $path -Raw | Should -BeLike '*Granted*'
        Get-Content $path -Raw | Should -Not -Match '\e'
    }

    It 'never is in the objects themselves' {
        "$(Get-Raw Ansi "Lock-FleetGroup web -Id n1 -Uri $($raw.Url) | ConvertTo-Csv; (Lock-FleetGroup web -Id n1 -Uri $($raw.Url)).ToString()")" | Should -Not -Match '\e'
    }
}
