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
        $table[0] | Should -Match '^Status +Group +Id +Time +Server$'
        $table.Count | Should -Be 3
        $table[2] | Should -Match '^Granted +controllers +35ba2101ae3f4d45b96e9c51f461bbff \d\d:\d\d:\d\d '
    }

    It 'show a grant whole in 120 columns' {
        $table = Lock-FleetGroup controllers -Id 35ba2101ae3f4d45b96e9c51f461bbff -Uri $raw.Url | Get-Line 120
        $table[2] | Should -Match "$([regex]::Escape($raw.Url))$"
        $table | Where-Object Length -GT 120 | Should -BeNullOrEmpty
    }

    It 'show the checks with the advice where one failed' {
        $table = Test-FleetLock -Uri $raw.Url | Get-Line 300
        $table[0] | Should -Match '^Name +Passed +Message'
        "$($table -match '^Protocol')" | Should -Match '^Protocol +False .*Check the URL'
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
}
