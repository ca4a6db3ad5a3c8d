BeforeDiscovery {
    # Each way to give a secret → what goes over the wire. A new way is one line.
    $ways = @(
        @{ Way = '-Token'; Arguments = { @{ Token = ConvertTo-SecureString 's3cret-token' -AsPlainText } }; Sends = 'Authorization: Bearer s3cret-token' }
        @{ Way = '-Credential'; Arguments = { @{ Credential = [pscredential]::new('user', (ConvertTo-SecureString 's3cret-password' -AsPlainText)) } }; Sends = 'Authorization: Basic dXNlcjpzM2NyZXQtcGFzc3dvcmQ=' }
        @{ Way = '-Header'; Arguments = { @{ Header = @{ 'X-Api-Key' = 's3cret-header' } } }; Sends = 'X-Api-Key: s3cret-header' }
        @{ Way = 'FLEETLOCK_TOKEN'; Arguments = { $env:FLEETLOCK_TOKEN = 's3cret-variable'; @{} }; Sends = 'Authorization: Bearer s3cret-variable' }
        @{ Way = 'FLEETLOCK_TOKEN_FILE'; Arguments = { Set-Content "$TestDrive/token" 's3cret-file'; $env:FLEETLOCK_TOKEN_FILE = "$TestDrive/token"; @{} }; Sends = 'Authorization: Bearer s3cret-file' }
        @{ Way = 'the user information of the URL'; Arguments = { @{ Uri = $raw.Url -replace '://', '://user:s3cret-url@' } }; Sends = 'Authorization: Basic dXNlcjpzM2NyZXQtdXJs' }
        @{ Way = 'the user information of the proxy'; Arguments = { @{ Uri = 'http://fleet.example'; Proxy = $raw.Url -replace '://', '://user:s3cret-proxy@' } }; Sends = 'POST http://fleet.example/v1/' }
    )
}

BeforeAll {
    . $PSScriptRoot/Common.ps1

    function Clear-Secret {
        $env:FLEETLOCK_TOKEN, $env:FLEETLOCK_TOKEN_FILE = $null, $null
    }

    # All that may be read of what a cmdlet has written: as text, as a list, as JSON; of the engine's own records everything but InvocationInfo,
    # which repeats the caller's command.
    function Get-Text {
        param([Parameter(ValueFromPipeline)] $Record)

        process {
            if ($Record -is [Management.Automation.InformationalRecord] -or $Record -is [Management.Automation.InformationRecord]) {
                "$Record"
                return
            }
            if ($Record -isnot [Management.Automation.ErrorRecord]) {
                "$Record", ($Record | Out-String -Width 400), ($Record | Format-List * -Force | Out-String -Width 400), ($Record | ConvertTo-Json -Depth 5 -WarningAction Ignore)
                return
            }
            "$Record", $Record.Exception.ToString(), "$($Record.CategoryInfo)", "$($Record.ErrorDetails)"
            for ($exception = $Record.Exception; $exception; $exception = $exception.InnerException) { $exception | Select-Object * -ExcludeProperty TargetSite, ErrorRecord | Format-List -Force | Out-String -Width 400 }
            "$($Record.TargetObject)", ($Record.TargetObject | ConvertTo-Json -Depth 5 -WarningAction Ignore)
        }
    }
}

Describe 'A secret given by <Way>' -ForEach $ways {
    BeforeEach {
        $refusal = New-Answer 401 '{"kind":"unauthorized_request","value":"who are you"}'
    }

    AfterEach {
        Clear-Secret
        Stop-RawServer $raw
    }

    It 'goes over the wire, with lock, unlock and the doctor' {
        $raw = New-RawServer
        $slot = @{ Group = 'web'; Id = 'n1'; Uri = $raw.Url }
        $given = & $Arguments
        foreach ($key in $given.Keys) { $slot[$key] = $given[$key] }
        (Lock-FleetGroup @slot).Status | Should -Be 'Granted'
        (Unlock-FleetGroup @slot -PassThru).Status | Should -Be 'Released'
        $null = Test-FleetLock @slot
        $raw.Requests.Count | Should -BeGreaterOrEqual 3
        foreach ($request in $raw.Requests) { $request.Head | Should -BeLike "*$Sends*" }
    }

    It 'is in no stream, no error and no JSON' {
        $raw = New-RawServer (New-Answer 200), (New-Answer 200), $refusal
        $slot = @{ Group = 'web'; Id = 'n1'; Uri = $raw.Url }
        $given = & $Arguments
        foreach ($key in $given.Keys) { $slot[$key] = $given[$key] }
        $told = @{ Verbose = $true; ErrorAction = 'Continue' }
        $DebugPreference = $InformationPreference = 'Continue'
        $nowhere = $slot.Clone()
        if ($nowhere.Proxy) { $nowhere.Proxy = $nowhere.Proxy -replace '@.*', '@127.0.0.1:1' } else { $nowhere.Uri = $nowhere.Uri -replace ':\d+$', ':1' }

        $text = @(
            Lock-FleetGroup @slot @told *>&1 | Get-Text
            Unlock-FleetGroup @slot @told -PassThru *>&1 | Get-Text
            Lock-FleetGroup @slot @told *>&1 | Get-Text
            Lock-FleetGroup @slot @told -WaitTimeoutSec 0 *>&1 | Get-Text
            Lock-FleetGroup @nowhere @told *>&1 | Get-Text
            Lock-FleetGroup @nowhere @told -WaitTimeoutSec 1 *>&1 | Get-Text
            Test-FleetLock @slot @told *>&1 | Get-Text
            Test-FleetLock @nowhere @told *>&1 | Get-Text
            Get-FleetLockConfiguration @told *>&1 | Get-Text
            try { Invoke-FleetLock { 'ran' } @slot @told *>&1 | Get-Text } catch { $_ | Get-Text }
        )
        $text.Count | Should -BeGreaterThan 30
        foreach ($secret in 's3cret', 'dXNlcjpzM2NyZXQ') { $text -match $secret | Should -BeNullOrEmpty }
    }
}

Describe 'A secret that is no good' {
    AfterEach {
        Clear-Secret
    }

    It 'is not shown: <Name>' -ForEach @(
        @{ Name = 'a header with a control character'; Arguments = { @{ Header = @{ 'X-Api-Key' = "s3cret`r`nX-Other: 1" } } }; ErrorId = 'FleetHeaderInvalid' }
        @{ Name = 'a header of the protocol'; Arguments = { @{ Header = @{ Authorization = 's3cret' } } }; ErrorId = 'FleetHeaderInvalid' }
        @{ Name = 'a token with a space'; Arguments = { @{ Token = ConvertTo-SecureString 's3cret and more' -AsPlainText } }; ErrorId = 'FleetTokenInvalid' }
        @{ Name = 'a token with a space in the environment'; Arguments = { $env:FLEETLOCK_TOKEN = 's3cret and more'; @{} }; ErrorId = 'FleetTokenInvalid' }
        @{ Name = 'a token file of two lines'; Arguments = { Set-Content "$TestDrive/token" "s3cret`nmore"; $env:FLEETLOCK_TOKEN_FILE = "$TestDrive/token"; @{} }; ErrorId = 'FleetTokenInvalid' }
        @{ Name = 'a token file that is not there'; Arguments = { $env:FLEETLOCK_TOKEN_FILE = "$TestDrive/absent"; @{} }; ErrorId = 'FleetTokenInvalid' }
        @{ Name = 'a URL that is none'; Arguments = { @{ Uri = 'http://user:s3cret@' } }; ErrorId = 'FleetServerInvalid' }
    ) {
        $raw = New-RawServer
        $slot = @{ Group = 'web'; Id = 'n1'; Uri = $raw.Url }
        $given = & $Arguments
        foreach ($key in $given.Keys) { $slot[$key] = $given[$key] }
        $null = Lock-FleetGroup @slot -ErrorAction SilentlyContinue -ErrorVariable failed
        $failed[0].FullyQualifiedErrorId | Should -BeLike "$ErrorId,*"
        $failed | Get-Text | Where-Object { $_ -match 's3cret' } | Should -BeNullOrEmpty
        $check = Test-FleetLock @slot
        $check.Name, $check.Passed | Should -Be @('Configuration', $false)
        $check | Get-Text | Where-Object { $_ -match 's3cret' } | Should -BeNullOrEmpty
        $raw.Requests.Count | Should -Be 0
        Stop-RawServer $raw
    }
}

Describe 'Credentials from several places' {
    BeforeEach {
        $raw = New-RawServer
        $slot = @{ Group = 'web'; Id = 'n1'; Uri = $raw.Url }
        $token = ConvertTo-SecureString 'of-the-parameter' -AsPlainText
        $credential = [pscredential]::new('user', (ConvertTo-SecureString 'password' -AsPlainText))
    }

    AfterEach {
        Clear-Secret
        Stop-RawServer $raw
    }

    It 'prefer <Better> to <Worse>' -ForEach @(
        @{ Better = '-Token'; Worse = 'FLEETLOCK_TOKEN'; Set = { $env:FLEETLOCK_TOKEN = 'of-the-variable'; @{ Token = $token } }; Sends = 'Bearer of-the-parameter' }
        @{ Better = '-Credential'; Worse = 'FLEETLOCK_TOKEN'; Set = { $env:FLEETLOCK_TOKEN = 'of-the-variable'; @{ Credential = $credential } }; Sends = 'Basic dXNlcjpwYXNzd29yZA==' }
        @{ Better = 'FLEETLOCK_TOKEN'; Worse = 'FLEETLOCK_TOKEN_FILE'; Set = { Set-Content "$TestDrive/token" 'of-the-file'; $env:FLEETLOCK_TOKEN_FILE = "$TestDrive/token"; $env:FLEETLOCK_TOKEN = 'of-the-variable'; @{} }; Sends = 'Bearer of-the-variable' }
        @{ Better = '-Token'; Worse = 'the URL'; Set = { @{ Uri = $raw.Url -replace '://', '://a:b@'; Token = $token } }; Sends = 'Bearer of-the-parameter' }
    ) {
        $given = & $Set
        foreach ($key in $given.Keys) { $slot[$key] = $given[$key] }
        $null = Lock-FleetGroup @slot
        @($raw.Requests)[0].Header('Authorization') | Should -Be $Sends
    }

    It 'are not mixed up by the clients that a session keeps' {
        foreach ($secret in 'one', 'two', 'one') { $null = Lock-FleetGroup @slot -Token (ConvertTo-SecureString $secret -AsPlainText) }
        $null = Lock-FleetGroup @slot
        @($raw.Requests | ForEach-Object { "$($_.Header('Authorization'))" }) | Should -Be @('Bearer one', 'Bearer two', 'Bearer one', '')
    }

    It 'send several headers, and take their values as text' {
        $null = Lock-FleetGroup @slot -Header ([ordered]@{ 'X-One' = 1; 'X-Two' = 'two' })
        @($raw.Requests)[0].Header('X-One'), @($raw.Requests)[0].Header('X-Two') | Should -Be @('1', 'two')
    }
}

Describe 'What is given to be sent' {
    BeforeEach {
        $raw = New-RawServer
        $slot = @{ Group = 'web'; Id = 'n1'; Uri = $raw.Url }
    }

    AfterEach {
        Stop-RawServer $raw
    }

    It 'is the user name as it is: <_>' -ForEach 'CORP\svc', '.\local', 'u@dom.example', 'a\b\c' {
        $null = Lock-FleetGroup @slot -Credential ([pscredential]::new($_, (ConvertTo-SecureString 'p' -AsPlainText)))
        $sent = @($raw.Requests)[0].Header('Authorization') -replace '^Basic '
        [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($sent)) | Should -Be "${_}:p"
    }

    It 'is every value of a header, in the same words in every culture' {
        $before = [cultureinfo]::CurrentCulture
        try {
            [cultureinfo]::CurrentCulture = 'de-DE'
            $null = Lock-FleetGroup @slot -Header @{ 'X-A' = @('1', '2'); 'X-D' = 1.5; 'X-T' = [datetime]'2026-01-02'; 'X-M' = 0.5, 'x' }
        }
        finally {
            [cultureinfo]::CurrentCulture = $before
        }
        'X-A', 'X-D', 'X-T', 'X-M' | ForEach-Object { @($raw.Requests)[0].Header($_) } | Should -Be @('1, 2', '1.5', "$([datetime]'2026-01-02')", '0.5, x')
    }
}
