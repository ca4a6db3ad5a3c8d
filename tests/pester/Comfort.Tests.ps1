BeforeAll {
    . $PSScriptRoot/Common.ps1
    $server = Start-TestServer -Group 'many=2000', 'web=1'
}

AfterAll {
    Stop-TestServer $server
}

Describe 'A thousand quick pipeline items' {
    It 'show no progress, no warning and no word, also with -Wait' {
        $ended = Complete-Script (Start-Script "(1..1000 | Lock-FleetGroup -Group many -Wait -Uri $($server.Uri) | Unlock-FleetGroup -Wait -PassThru).Count")
        $ended.Output | Should -Be 1000
        $ended.Progress.Count + $ended.Warnings.Count + $ended.Verbose.Count + $ended.Errors.Count | Should -Be 0
    }
}

Describe 'Long work' {
    It 'shows its progress, which ends, for each of several that wait' {
        $null = Lock-FleetGroup web -Id n1 -Uri $server.Uri
        $running = Start-Script "'n2', 'n3' | Lock-FleetGroup -Group web -Wait -Uri $($server.Uri) | Unlock-FleetGroup"
        Wait-Until { @($running.Streams.Progress.ActivityId | Select-Object -Unique).Count -eq 2 }
        Unlock-FleetGroup web -Id n1 -Uri $server.Uri
        $ended = Complete-Script $running
        $ended.Errors | Should -BeNullOrEmpty
        foreach ($activity in $ended.Progress | Group-Object ActivityId) { $activity.Group[-1].RecordType | Should -Be 'Completed' }
    }
}

Describe '-Verbose' {
    It 'tells the story of <Command> in five lines or fewer, with where and how' -ForEach @(
        @{ Command = 'Lock-FleetGroup web -Id n1' }
        @{ Command = 'Unlock-FleetGroup web -Id n1' }
        @{ Command = 'Invoke-FleetLock { } -Group web -Id n1' }
        @{ Command = 'Set-FleetGroup web -Slots 1'; Names = "*'web'*" }
        @{ Command = 'Get-FleetGroup'; Names = '*2*' }
    ) {
        $ended = Complete-Script (Start-Script "$Command -Verbose -Uri $($server.Uri)")
        $ended.Errors | Should -BeNullOrEmpty
        $ended.Verbose.Count | Should -BeIn (1..5)
        "$($ended.Verbose)" | Should -BeLike $(if ($Names) { $Names } else { "*'web'*'n1'*" })
        "$($ended.Verbose)" | Should -BeLike "*$($server.Uri)*"
        Unlock-FleetGroup web -Id n1 -Uri $server.Uri
    }
}

Describe '-Verbose of a server of one''s own' {
    It 'tells where it answers and how it ended' {
        $ended = Complete-Script (Start-Script 'Start-FleetLockServer -Verbose | Stop-FleetLockServer -Verbose')
        $ended.Errors | Should -BeNullOrEmpty
        $ended.Verbose | Where-Object { $_ -match '^Server http://127\.0\.0\.1:\d+, process \d+: (groups: default=1|ended with exit code 0)' } | Should -HaveCount 2
    }
}

Describe 'Get-Command -Module FleetLock' {
    It 'reads like a sentence: a few verbs and what they act on, each with one line of help in its parameters'' names' {
        $commands = Get-Command -Module FleetLock
        $commands.Noun | Sort-Object -Unique | Should -Be @('FleetGroup', 'FleetLock', 'FleetLockConfiguration', 'FleetLockServer', 'FleetNodeId', 'FleetStoreRestore')
        $commands.CommandType | Select-Object -Unique | Should -Be 'Cmdlet'
        $commands.Source | Select-Object -Unique | Should -Be 'FleetLock'
    }
}
