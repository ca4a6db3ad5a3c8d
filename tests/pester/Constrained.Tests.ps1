BeforeAll {
    . $PSScriptRoot/Common.ps1
    $server = Start-TestServer -Group 'web=1'

    # In an engine of its own, whose language is constrained as by an application control policy.
    function Invoke-Constrained {
        param([string] $Script)

        Complete-Script (Start-Script "`$ExecutionContext.SessionState.LanguageMode = 'ConstrainedLanguage'; $Script" @{ url = $server.Uri })
    }
}

AfterAll {
    Stop-TestServer $server
}

Describe 'A session whose language is constrained' {
    It 'runs a block under a slot, and releases it' {
        $ended = Invoke-Constrained 'Invoke-FleetLock { param($One) $One; $args; (Get-FleetGroup web -Uri $url).Holders.Id } -ArgumentList a, b -Group web -Id n1 -Uri $url'
        $ended.Errors | Should -BeNullOrEmpty
        $ended.Output | Should -Be @('a', 'b', 'n1')
        Get-Holder $server web | Should -BeNullOrEmpty
    }

    It 'streams, and has succeeded when a later command has enough' {
        $ended = Invoke-Constrained 'Invoke-FleetLock { 1..10 } -Group web -Id n1 -Uri $url | Select-Object -First 2; $?'
        $ended.Output | Should -Be @(1, 2, $true)
        Get-Holder $server web | Should -BeNullOrEmpty
    }

    It 'stays constrained in the block' {
        $ended = Invoke-Constrained 'Invoke-FleetLock { $ExecutionContext.SessionState.LanguageMode; [IO.Path]::GetTempPath() } -Group web -Id n1 -Uri $url'
        $ended.Output | Should -Be 'ConstrainedLanguage'
        $ended.Errors[0].FullyQualifiedErrorId | Should -BeLike 'MethodInvocationNotSupportedInConstrainedLanguage*'
        Get-Holder $server web | Should -BeNullOrEmpty
    }

    It 'shows groups and holders, as <_>' -ForEach 'Format-Table', 'Format-List' {
        $null = Lock-FleetGroup web -Id n1 -Uri $server.Uri
        $shown = "Get-FleetGroup web -Uri `$url | $_ | Out-String; (Get-FleetGroup web -Uri `$url).Holders | $_ | Out-String"
        $constrained = Invoke-Constrained $shown
        $expected = Complete-Script (Start-Script $shown @{ url = $server.Uri })
        Unlock-FleetGroup web -Id n1 -Uri $server.Uri
        $constrained.Errors | Should -BeNullOrEmpty
        $constrained.Output | Should -Be $expected.Output
        $expected.Output[0] | Should -Match 'web'
        $expected.Output[1] | Should -Match 'n1'
    }
}
