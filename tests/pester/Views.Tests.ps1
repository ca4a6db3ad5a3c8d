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
