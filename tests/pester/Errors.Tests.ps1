BeforeDiscovery {
    # Each error id → what really brings it about; $url is a server with the group web, $raw a peer that answers -Answer, $nowhere nobody's address.
    # The ids are the module's for life: one that is missing here, or in the README, fails.
    $producers = @(
        @{ Id = 'FleetGroupBusy'; Category = 'ResourceBusy'; Answer = @{ Status = 409; Body = '{"kind":"failed_lock_semaphore_full","value":"full"}' }; Command = { Lock-FleetGroup web -Id n1 -Uri $raw.Url } }
        @{ Id = 'FleetGroupPending'; Category = 'ResourceBusy'; Answer = @{ Status = 202; Body = '{"kind":"waiting_for_node_drain","value":"draining"}' }; Command = { Lock-FleetGroup web -Id n1 -Uri $raw.Url } }
        @{ Id = 'FleetGroupRefused'; Category = 'InvalidArgument'; Command = { Lock-FleetGroup nope -Id n1 -Uri $url } }
        @{ Id = 'FleetGrantKept'; Category = 'ResourceBusy'; Command = { $first, $null = 1, 2 | ForEach-Object { Lock-FleetGroup web -Id n1 -Uri $url }; Unlock-FleetGroup web -Id n1 -GrantId $first.GrantId -Uri $url } }
        @{ Id = 'FleetGroupNotFound'; Category = 'ObjectNotFound'; Command = { Get-FleetGroup nope -Uri $url } }
        @{ Id = 'FleetServerUnreachable'; Category = 'ConnectionError'; Command = { Lock-FleetGroup web -Id n1 -Uri $nowhere } }
        @{ Id = 'FleetRequestTimedOut'; Category = 'OperationTimeout'; Answer = 'Never'; Command = { Lock-FleetGroup web -Id n1 -Uri $raw.Url -TimeoutSec 1 } }
        @{ Id = 'FleetProtocolError'; Category = 'ProtocolError'; Answer = @{ Status = 404; Body = '<html>Not Found</html>' }; Command = { Lock-FleetGroup web -Id n1 -Uri $raw.Url } }
        @{ Id = 'FleetServerInvalid'; Category = 'InvalidArgument'; Command = { Lock-FleetGroup web -Id n1 -Uri nonsense } }
        @{ Id = 'FleetGroupInvalid'; Category = 'InvalidArgument'; Command = { Lock-FleetGroup a_b -Id n1 -Uri $url } }
        @{ Id = 'FleetNodeIdInvalid'; Category = 'InvalidArgument'; Command = { Lock-FleetGroup web -Id "a`tb" -Uri $url } }
        @{ Id = 'FleetGrantIdInvalid'; Category = 'InvalidArgument'; Command = { Unlock-FleetGroup web -Id n1 -GrantId 0123 -Uri $url } }
        @{ Id = 'FleetApplicationIdInvalid'; Category = 'InvalidArgument'; Command = { Get-FleetNodeId dfd7882acda64c34aca76193c46f5d4e -ApplicationId zz } }
        @{ Id = 'FleetMachineIdInvalid'; Category = 'InvalidArgument'; Command = { Get-FleetNodeId zz } }
        @{ Id = 'FleetConfigurationInvalid'; Category = 'InvalidArgument'; Environment = @{ FLEETLOCK_CONFIG = '/absent.json' }; Command = { Get-FleetLockConfiguration } }
        @{ Id = 'FleetTimeoutInvalid'; Category = 'InvalidArgument'; Environment = @{ FLEETLOCK_TIMEOUT_SEC = 'soon' }; Command = { Get-FleetGroup -Uri $url } }
        @{ Id = 'FleetTokenInvalid'; Category = 'InvalidArgument'; Environment = @{ FLEETLOCK_TOKEN_FILE = '/absent' }; Command = { Get-FleetGroup -Uri $url } }
        @{ Id = 'FleetCertificateInvalid'; Category = 'InvalidArgument'; Command = { Get-FleetGroup -Uri $url -CaCertificatePath /absent.pem } }
        @{ Id = 'FleetProxyInvalid'; Category = 'InvalidArgument'; Command = { Get-FleetGroup -Uri $url -Proxy 'ftp://proxy' } }
        @{ Id = 'FleetHeaderInvalid'; Category = 'InvalidArgument'; Command = { Get-FleetGroup -Uri $url -Header @{ Host = 'x' } } }
        @{ Id = 'FleetReasonInvalid'; Category = 'InvalidArgument'; Command = { Unlock-FleetGroup web -Id n1 -Force -Uri $url } }
        @{ Id = 'FleetServerDataInvalid'; Category = 'InvalidArgument'; Command = { Start-FleetLockServer -Detached } }
        @{ Id = 'FleetServerNotStarted'; Category = 'OpenError'; Command = { Start-FleetLockServer @{ web = -1 } } }
        @{ Id = 'FleetRunLockUnusable'; Category = 'ResourceUnavailable'; Command = { Invoke-FleetLock { 'ran' } -Group web -Id n1 -Uri $url }; BlocksRunLock = $true }
    )

    # Its parameter takes no negative number, so that the core's own check is never reached: the engine's error comes first.
    $shadowed = 'FleetSlotsInvalid'

    # Each cmdlet whose errors do not end the script, and whether the answer of a peer that refuses everything is one. A new one is one line.
    $nonTerminating = @(
        @{ Command = 'Lock-FleetGroup web -Id n1'; Exception = 'FleetLock.FleetLockException' }
        @{ Command = 'Unlock-FleetGroup web -Id n1'; Exception = 'FleetLock.FleetLockException' }
        @{ Command = 'Get-FleetGroup'; Exception = 'FleetLock.FleetGroupsException' }
        @{ Command = 'Confirm-FleetStoreRestore'; Exception = 'FleetLock.FleetGroupsException' }
        @{ Command = 'Set-FleetGroup web -Slots 1'; Exception = 'FleetLock.FleetGroupsException' }
        @{ Command = 'Lock-FleetGroup a_b -Id n1'; Exception = 'FleetLock.FleetLockInputException' }
    )

    # Cmdlets without what they must have, in a session where nobody can be asked.
    $incomplete = @(
        'Invoke-FleetLock'
        'Set-FleetGroup'
        'Set-FleetGroup web'
        'Stop-FleetLockServer'
        'Start-FleetLockServer -Etcd'
        'Unlock-FleetGroup web -Id n1 -Force'
        'Unlock-FleetGroup web -Id n1 -Reason dead'
        'Lock-FleetGroup web'
        'Unlock-FleetGroup web'
        'Get-FleetGroup'
        'Invoke-FleetLock { "ran" }'
    )
}

BeforeAll {
    . $PSScriptRoot/Common.ps1
    $server = Start-TestServer -Group 'web=1'
    $url = $server.Uri
    $away = New-RawServer
    $nowhere = $away.Url
    Stop-RawServer $away

    # What a producer's command needs: its peer, which is returned, its environment, and a folder in the place of the lock file.
    function Start-Producer {
        param($Producer)

        foreach ($name in @($Producer.Environment.Keys).Where({ $_ })) {
            [Environment]::SetEnvironmentVariable($name, $Producer.Environment[$name])
        }
        if ($Producer.BlocksRunLock) { $null = New-Item (Get-RunLockPath) -ItemType Directory -Force }
        if ($Producer.Answer -eq 'Never') { New-RawServer ([FleetLock.TestKit.RawAnswer]::Never) }
        elseif ($Producer.Answer) { New-RawServer (New-Answer $Producer.Answer.Status $Producer.Answer.Body) }
    }

    function Stop-Producer {
        param($Producer, $RawServer)

        if ($RawServer) { Stop-RawServer $RawServer }
        foreach ($name in @($Producer.Environment.Keys).Where({ $_ })) { [Environment]::SetEnvironmentVariable($name, $null) }
        if ($Producer.BlocksRunLock) { Remove-Item (Get-RunLockPath) }
    }

    function Get-RunLockPath {
        $digest = [Security.Cryptography.SHA256]::HashData([Text.Encoding]::UTF8.GetBytes("web`nn1`n"))
        Join-Path $env:FLEETLOCK_STATE_DIRECTORY "$([Convert]::ToHexString($digest[0..15]).ToLowerInvariant()).lock"
    }
}

AfterAll {
    Stop-TestServer $server
}

Describe 'The error ids' {
    BeforeAll {
        $known = [regex]::Matches((Get-Content (Join-Path $RepositoryRoot 'src/FleetLock.PowerShell/ErrorRecords.cs') -Raw), '"(Fleet[A-Za-z]+)"').ForEach({ $_.Groups[1].Value }) | Sort-Object -Unique
    }

    It 'are each brought about by a test' -ForEach @{ Produced = @($producers.Id) + $shadowed } {
        Compare-Object $known $Produced | Should -BeNullOrEmpty
    }

    # Windows has other paths, and says no to a connection in other words.
    It 'come with the messages of the file' -Skip:$IsWindows {
        $refused = [Net.Sockets.SocketException]::new([int][Net.Sockets.SocketError]::ConnectionRefused).Message
        $messages = [FleetLock.TestKit.MessageFile]::new('cmdlets')
        $null = $messages.Hide($url, 'URL').Hide($nowhere, 'URL').Hide(([uri]$nowhere).Authority, 'HOST:PORT')
        $null = $messages.Hide($env:FLEETLOCK_STATE_DIRECTORY, 'FOLDER').Hide($refused, '{connection refused}')
        foreach ($producer in $Producers) {
            $raw = Start-Producer $producer
            try { $caught = try { $null = & $producer.Command } catch { $_ } } finally { Stop-Producer $producer $raw }
            if ($raw) { $null = $messages.Hide($raw.Url, 'URL').Hide(([uri]$raw.Url).Authority, 'HOST:PORT') }
            $message = $caught.Exception.Message -replace '[0-9a-f]{32}(?=\.lock)', 'HASH'
            $messages.Add("$($producer.Id), from $($producer.Command.ToString().Trim())", $message)
        }
        $messages.Verify()
    } -TestCases @{ Producers = $producers }

    It 'are each in the README' {
        $readme = Get-Content (Join-Path $RepositoryRoot 'README.md') -Raw
        $known | Where-Object { -not $readme.Contains("``$_``") } | Should -BeNullOrEmpty
    }
}

Describe '<Id>' -ForEach $producers {
    BeforeAll {
        $raw = Start-Producer $_
    }

    AfterAll {
        Stop-Producer $_ $raw
    }

    It 'is what <Command> fails with' {
        $caught = try { $null = & $Command } catch { $_ }
        $caught.FullyQualifiedErrorId | Should -Match "^$Id,FleetLock\.PowerShell\.Commands\.\w+Command$"
        $caught.CategoryInfo.Category | Should -Be $Category
        $caught.Exception.Message | Should -Not -BeNullOrEmpty
        "$caught" | Should -Be $caught.Exception.Message
    }
}

Describe 'An error of <Command>' -ForEach $nonTerminating {
    BeforeAll {
        $raw = New-RawServer (New-Answer 401 '{"kind":"unauthorized_request","value":"who are you"}')
        $run = [scriptblock]::Create("$Command -Uri $($raw.Url) @args")
        $type = [type]$Exception
    }

    AfterAll {
        Stop-RawServer $raw
    }

    It 'goes by in silence with -ErrorAction SilentlyContinue, and is in $Error' {
        $global:Error.Clear()
        & $run -ErrorAction SilentlyContinue 2>&1 | Should -BeNullOrEmpty
        $global:Error.Count | Should -Be 1
        $global:Error[0].Exception | Should -BeOfType $type
    }

    It 'leaves no trace with -ErrorAction Ignore' {
        $global:Error.Clear()
        & $run -ErrorAction Ignore 2>&1 | Should -BeNullOrEmpty
        $global:Error.Count | Should -Be 0
    }

    It 'is written and the script goes on with -ErrorAction Continue' {
        $written = & { & $run -ErrorAction Continue; 'after' } 2>&1
        $written[0].Exception | Should -BeOfType $type
        $written[1] | Should -Be 'after'
    }

    It 'makes $? false, and fills -ErrorVariable' {
        $succeeded = & ([scriptblock]::Create("$Command -Uri $($raw.Url) -ErrorAction SilentlyContinue -ErrorVariable script:failed; `$?"))
        $succeeded | Should -BeFalse
        $failed.Count | Should -Be 1
        $failed[0].Exception | Should -BeOfType $type
    }

    It 'is caught by its type with -ErrorAction Stop, and with $ErrorActionPreference' {
        $catch = "try { {0} } catch [$Exception] { 'by its type' } catch { 'otherwise' }"
        & ([scriptblock]::Create($catch.Replace('{0}', "$Command -Uri $($raw.Url) -ErrorAction Stop"))) | Should -Be 'by its type'
        & ([scriptblock]::Create("`$ErrorActionPreference = 'Stop'; " + $catch.Replace('{0}', "$Command -Uri $($raw.Url)"))) | Should -Be 'by its type'
    }
}

Describe 'Get-Error' {
    It 'tells what went wrong, with what, and what to do next' {
        $null = Lock-FleetGroup web -Id n1 -Uri $nowhere -ErrorAction SilentlyContinue -ErrorVariable failed
        $failed[0].Exception.Advice | Should -Be ([FleetLock.Advice]::For($failed[0].TargetObject))
        $text = ($failed[0] | Get-Error | Out-String -Width 400) -replace '\e\[[\d;]*m'
        foreach ($line in 'TargetObject +: Lock', 'FleetServerUnreachable,', "Advice +: $([FleetLock.Advice]::For($failed[0].TargetObject).Substring(0, 15))", 'Result +: Lock .*web.*n1.*: Unreachable', 'FleetLock.FleetLockException') {
            $text | Should -Match $line
        }
    }

    It 'tells the next step of <Name>' -ForEach @(
        @{ Name = 'a group that is not there'; Command = { Get-FleetGroup nope -Uri $url }; Action = '*Get-FleetGroup*' }
        @{ Name = 'a list that is not shown'; Command = { Get-FleetGroup -Uri $nowhere }; Action = '*try again*' }
        @{ Name = 'a full group'; Command = { Lock-FleetGroup web -Id n1 -Uri $url; Lock-FleetGroup web -Id n2 -Uri $url }; Action = '*-Wait*' }
    ) {
        $caught = try { $null = & $Command } catch { $_ }
        $caught.Exception.Message | Should -BeLike $Action
        $caught.ErrorDetails | Should -BeNullOrEmpty -Because 'what it recommends would be shown beside the message'
    }

    It 'is shown once' {
        $shown = Invoke-Engine -Command "Import-Module '$ModulePath'; Lock-FleetGroup web -Id n1 -Uri $nowhere" 2>&1 | Out-String
        [regex]::Matches(($shown -replace '\e\[[\d;]*m' -replace '[\s|]+', ' '), 'then try again').Count | Should -Be 1
    }

    It 'tells of a release that failed the command that releases' {
        $raw = New-RawServer (New-Answer 200), (New-Answer 400 '{"kind":"unknown_group","value":"gone"}')
        $null = Invoke-FleetLock { } -Group web -Id "it's" -Uri $raw.Url -ErrorAction SilentlyContinue -ErrorVariable failed
        Stop-RawServer $raw
        "$($failed[0])" | Should -BeLike "*Unlock-FleetGroup -Group web -Id 'it''s'"
    }
}

Describe 'A session in which nobody can be asked' {
    It 'has an error and an exit code for <_>, in place of a question' -ForEach $incomplete {
        $text = Invoke-Engine -Command "`$env:FLEETLOCK_URL = `$null; Import-Module '$ModulePath'; $_" 2>&1 | Out-String
        $LASTEXITCODE | Should -Be 1
        $text | Should -Match 'missing mandatory|Missing an argument|No FleetLock server is named|takes -Reason|give -Force'
        $text | Should -Not -Match 'ran'
    }
}
