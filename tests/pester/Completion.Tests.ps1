BeforeDiscovery {
    # Every parameter that names what a server knows. A new one is one line.
    $parameters = @(
        @{ Command = 'Lock-FleetGroup'; Group = $true; Id = $true }
        @{ Command = 'Unlock-FleetGroup'; Group = $true; Id = $true }
        @{ Command = 'Invoke-FleetLock { }'; Group = $true; Id = $true }
        @{ Command = 'Test-FleetLock'; Group = $true; Id = $true }
        @{ Command = 'Get-FleetGroup'; Group = $true; Id = $false }
        @{ Command = 'Set-FleetGroup'; Group = $true; Id = $false }
    )
}

BeforeAll {
    . $PSScriptRoot/Common.ps1

    # What Tab writes at the end of a line, in order.
    function Get-Completion {
        param([string] $Line)

        @([Management.Automation.CommandCompletion]::CompleteInput($Line, $Line.Length, $null).CompletionMatches.CompletionText)
    }

    # What PowerShell makes of an argument.
    function Get-Meant {
        param([string] $Id)

        $Id
    }

    # An answer of a server that has these ids in one group.
    function New-GroupAnswer {
        param([string[]] $Id, [string] $Group = 'web')

        New-Answer 200 (@{ groups = @(@{ group = $Group; slots = 9; free = 1; holders = @($Id | ForEach-Object { @{ id = $_ } }) }) } | ConvertTo-Json -Depth 5 -Compress)
    }
}

Describe 'Tab against the real server' {
    BeforeAll {
        $server = Start-TestServer -Group 'web=2', 'workers=9', 'Windows=1', 'db=1'
        $null = 'n1', 'N2', 'a b', "it's", '-dash', '日本', '[x]', '$(exit)', '10.0.0.1' | Lock-FleetGroup -Group workers -Uri $server.Uri
        $null = 'n9' | Lock-FleetGroup -Group web -Uri $server.Uri
    }

    AfterAll {
        Stop-TestServer $server
    }

    It 'completes -Group of <Command>, whatever the case' -ForEach $parameters {
        Get-Completion "$Command -Uri $($server.Uri) -Group w" | Should -BeExactly @('Windows', 'web', 'workers')
        Get-Completion "$Command -Uri $($server.Uri) -Group WOR" | Should -BeExactly 'workers'
        Get-Completion "$Command -Uri $($server.Uri) -Group *b" | Should -BeExactly @('db', 'web')
        Get-Completion "$Command -Uri $($server.Uri) -Group zzz" | Should -BeNullOrEmpty
    }

    It 'completes -Id of <Command> from the holders of the group that is typed' -ForEach ($parameters | Where-Object Id) {
        Get-Completion "$Command -Uri $($server.Uri) -Group workers -Id n" | Should -BeExactly @('N2', 'n1')
        Get-Completion "$Command -Uri $($server.Uri) -Group web -Id " | Should -BeExactly 'n9'
        Get-Completion "$Command -Uri $($server.Uri) -Group db -Id " | Should -BeNullOrEmpty
        Get-Completion "$Command -Uri $($server.Uri) -Id n" | Should -Contain 'n9' -Because 'without a group it is any'
    }

    It 'completes groups by position, and the holders of several' {
        Get-Completion "Get-FleetGroup -Uri $($server.Uri) wo" | Should -Be 'workers'
        Get-Completion "Unlock-FleetGroup -Group web, workers -Uri $($server.Uri) -Id n" | Should -BeExactly @('n9', 'N2', 'n1')
        Get-Completion "Unlock-FleetGroup workers -Force -Uri $($server.Uri) -Id n1" | Should -Be 'n1'
    }

    It 'quotes what PowerShell would take for something else, so that the line means the id' {
        $ids = Get-Completion "Unlock-FleetGroup workers -Uri $($server.Uri) -Id "
        $ids | Should -Contain "'a b'"
        $ids | Should -Contain '10.0.0.1'
        $meant = $ids | ForEach-Object { Invoke-Expression "Get-Meant -Id $_" }
        Compare-Object $meant (Get-Holder $server workers) -CaseSensitive | Should -BeNullOrEmpty
    }

    It 'goes on with a word in quotes' {
        Get-Completion "Unlock-FleetGroup workers -Uri $($server.Uri) -Id 'a" | Should -Be "'a b'"
        Get-Completion "Unlock-FleetGroup workers -Uri $($server.Uri) -Id '[" | Should -Be "'[x]'"
        Get-Completion "Get-FleetGroup -Uri $($server.Uri) `"wo" | Should -Be 'workers'
    }

    It 'asks the server of the configuration, of an alias, of a variable' {
        $env:FLEETLOCK_URL = $server.Uri
        Get-Completion 'Lock-FleetGroup wo' | Should -Be 'workers'
        $env:FLEETLOCK_URL = $null
        Get-Completion "Lock-FleetGroup -Server $($server.Uri) -Group wo" | Should -Be 'workers'
        $global:CompletionUri = $server.Uri
        Get-Completion 'Lock-FleetGroup -Uri $CompletionUri -Group wo' | Should -Be 'workers'
        Remove-Variable CompletionUri -Scope Global
    }

    It 'says of each what it is' {
        $line = "Lock-FleetGroup -Uri $($server.Uri) -Group wo"
        [Management.Automation.CommandCompletion]::CompleteInput($line, $line.Length, $null).CompletionMatches[0].ToolTip | Should -Be '0 of 9 slots free'
        $line = "Unlock-FleetGroup -Uri $($server.Uri) -Id n1"
        [Management.Automation.CommandCompletion]::CompleteInput($line, $line.Length, $null).CompletionMatches[0].ToolTip | Should -Be 'holds a slot of workers'
    }
}

Describe 'Tab and -Uri' {
    AfterEach {
        $env:FLEETLOCK_URL, $env:FLEETLOCK_CONFIG = $null, $null
    }

    It 'completes it from the environment, without a password' {
        $env:FLEETLOCK_URL = 'https://user:s3cret@fleet.example:8443/base'
        Get-Completion 'Lock-FleetGroup -Uri ' | Should -Be 'https://fleet.example:8443/base'
        Get-Completion 'Get-FleetGroup -Uri HTTPS://f' | Should -Be 'https://fleet.example:8443/base'
        Get-Completion 'Test-FleetLock -Uri http://other' | Should -BeNullOrEmpty
    }

    It 'completes it from a file' {
        $env:FLEETLOCK_CONFIG = Join-Path $TestDrive 'config.json'
        Set-Content $env:FLEETLOCK_CONFIG '{"url": "https://fleet.example"}'
        Get-Completion 'Lock-FleetGroup -Uri ' | Should -Be 'https://fleet.example'
    }

    It 'is silent where nothing is configured, or what is configured is broken' {
        Get-Completion 'Lock-FleetGroup -Uri ' | Should -BeNullOrEmpty
        $env:FLEETLOCK_CONFIG = Join-Path $TestDrive 'absent.json'
        Get-Completion 'Lock-FleetGroup -Uri ' | Should -BeNullOrEmpty
        Get-Completion 'Lock-FleetGroup -Group ' | Should -BeNullOrEmpty
    }
}

Describe 'Tab against another peer' {
    BeforeEach {
        $before = $global:Error.Count
    }

    AfterEach {
        if ($raw) { Stop-RawServer $raw }
        $raw = $null
        Set-InteractiveLimit Completion
        Set-InteractiveLimit CompletionFreshness
    }

    It 'is silently empty when <Name>' -ForEach @(
        @{ Name = 'the server refuses'; Answer = @{ Status = 401; Body = '' } }
        @{ Name = 'the server does not have the extension'; Answer = @{ Status = 404; Body = '404 page not found' } }
        @{ Name = 'a web page answers'; Answer = @{ Status = 200; Body = '<html>Please log in</html>' } }
        @{ Name = 'the store is away'; Answer = @{ Status = 503; Body = '{"kind":"store_unavailable","value":"away"}' } }
    ) {
        $raw = New-RawServer (New-Answer $Answer.Status $Answer.Body)
        Get-Completion "Lock-FleetGroup -Uri $($raw.Url) -Group " | Should -BeNullOrEmpty
        Get-Asked $raw | Should -Be '/v1/groups'
        $global:Error.Count | Should -Be $before
    }

    It 'is silently empty when nobody listens, or the line is no good yet' {
        $raw = New-RawServer
        $url = $raw.Url
        Stop-RawServer $raw
        $raw = $null
        Get-Completion "Lock-FleetGroup -Uri $url -Group " | Should -BeNullOrEmpty
        Get-Completion 'Lock-FleetGroup -Uri nonsense -Group ' | Should -BeNullOrEmpty
        Get-Completion "Lock-FleetGroup -Uri $url -Proxy '::' -Group " | Should -BeNullOrEmpty
        Get-Completion "Lock-FleetGroup -Uri $url -CaCertificatePath $TestDrive/absent.pem -Group " | Should -BeNullOrEmpty
        $global:Error.Count | Should -Be $before
    }

    It 'gives up on a server that never answers, whatever the time-out of requests, and asks it no second time at once' {
        Reset-InteractiveLimit Completion
        $raw = New-RawServer ([FleetLock.TestKit.RawAnswer]::Never)
        $env:FLEETLOCK_TIMEOUT_SEC = '0'
        try {
            $ended = Complete-Script (Start-Script "'', 'w' | ForEach-Object { `$line = `"Lock-FleetGroup -Uri $($raw.Url) -Group `$_`"; (TabExpansion2 `$line `$line.Length).CompletionMatches.Count }")
        }
        finally {
            $env:FLEETLOCK_TIMEOUT_SEC = $null
        }
        $ended.Output | Should -Be @(0, 0)
        $ended.Errors | Should -BeNullOrEmpty
        $raw.Requests.Count | Should -BeLessOrEqual 1
    }

    It 'remembers an answer for one command line, and asks again later' {
        $raw = New-RawServer (New-GroupAnswer 'n1'), (New-GroupAnswer 'n1', 'n2')
        Get-Completion "Unlock-FleetGroup -Uri $($raw.Url) -Group w" | Should -Be 'web'
        Get-Completion "Unlock-FleetGroup -Uri $($raw.Url) -Group web -Id " | Should -Be 'n1'
        $raw.Requests.Count | Should -Be 1
        Set-InteractiveLimit CompletionFreshness 0
        Get-Completion "Unlock-FleetGroup -Uri $($raw.Url) -Group web -Id " | Should -Be @('n1', 'n2')
        $raw.Requests.Count | Should -Be 2
    }

    It 'asks as the command would: <Name>' -ForEach @(
        @{ Name = '-Token'; Typed = '-Token $CompletionToken'; Sends = 'Authorization: Bearer s3cret' }
        @{ Name = '-Credential'; Typed = '-Credential $CompletionCredential'; Sends = 'Authorization: Basic dXNlcjpzM2NyZXQ=' }
        @{ Name = '-Header'; Typed = '-Header @{ "X-Api-Key" = "k1" }'; Sends = 'X-Api-Key: k1' }
    ) {
        $global:CompletionToken = ConvertTo-SecureString 's3cret' -AsPlainText
        $global:CompletionCredential = [pscredential]::new('user', $global:CompletionToken)
        $raw = New-RawServer (New-GroupAnswer 'n1')
        Get-Completion "Lock-FleetGroup -Uri $($raw.Url) $Typed -Group w" | Should -Be 'web'
        @($raw.Requests)[0].Head | Should -BeLike "*$Sends*"
        @($raw.Requests)[0].Line | Should -Be 'GET /v1/groups HTTP/1.1'
        Remove-Variable CompletionToken, CompletionCredential -Scope Global
    }

    It 'offers nothing that could steer the terminal or end the line' {
        $raw = New-RawServer (New-GroupAnswer 'good', "n`e[2J", "n`nRemove-Item x", ('x' * 256), "q'; Remove-Item x; '")
        Get-Completion "Unlock-FleetGroup -Uri $($raw.Url) -Id " | Should -Be @('good', "'q''; Remove-Item x; '''")
        Stop-RawServer $raw
        $raw = New-RawServer (New-GroupAnswer 'n1' -Group 'a;b')
        Get-Completion "Unlock-FleetGroup -Uri $($raw.Url) -Group " | Should -BeNullOrEmpty
    }

    It 'shows neither the warning of -SkipCertificateCheck nor a verbose line in the middle of a line' {
        $raw = New-RawServer (New-GroupAnswer 'n1')
        $ended = Complete-Script (Start-Script "`$VerbosePreference = 'Continue'; `$line = 'Lock-FleetGroup -SkipCertificateCheck -Uri $($raw.Url) -Group w'; (TabExpansion2 `$line `$line.Length).CompletionMatches.CompletionText")
        $ended.Output | Should -Be 'web'
        $ended.Verbose = @($ended.Verbose | Where-Object { $_ -match 'Groups at' })
        $ended.Errors + $ended.Warnings + $ended.Verbose + $ended.Progress | Should -BeNullOrEmpty
    }
}
