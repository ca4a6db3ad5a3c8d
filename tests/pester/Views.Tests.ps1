BeforeAll {
    . $PSScriptRoot/Common.ps1
    $raw = New-RawServer
}

AfterAll {
    Stop-RawServer $raw
}

Describe 'The table views' {
    It 'show a grant in one line of 80 columns' {
        $table = (Lock-FleetGroup controllers -Id 35ba2101ae3f4d45b96e9c51f461bbff -Uri $raw.Url | Out-String -Width 80).Trim() -split '\r?\n'
        $table[0] -replace '\e\[[\d;]*m' | Should -Match '^Status +Group +Id +Time +Server$'
        $table.Count | Should -Be 3
        $table[2] | Should -Match '^Granted +controllers +35ba2101ae3f4d45b96e9c51f461bbff \d\d:\d\d:\d\d '
    }

    It 'show the checks with the advice where one failed' {
        $table = Test-FleetLock -Uri $raw.Url | Out-String -Width 300
        $table -replace '\e\[[\d;]*m' | Should -Match '(?m)^Name +Passed +Message'
        $table | Should -Match '(?m)^Protocol +False .*Check the URL'
    }
}
