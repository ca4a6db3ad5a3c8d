BeforeAll {
    . $PSScriptRoot/Common.ps1
    $file = Join-Path $TestDrive 'config.json'
}

Describe 'Get-FleetLockConfiguration' {
    AfterEach {
        foreach ($name in (Get-ChildItem env:FLEETLOCK_*).Name -ne 'FLEETLOCK_TESTKIT') { [Environment]::SetEnvironmentVariable($name, $null) }
        $env:XDG_CONFIG_HOME = Join-Path $TestDrive 'no-configuration'
    }

    It 'shows the defaults where nothing is set' {
        $settings = Get-FleetLockConfiguration
        $settings.Name | Where-Object { $_ -ne 'Id' } | Should -Be @('Url', 'Group', 'TimeoutSec', 'RetryIntervalSec')
        $settings | Where-Object Name -EQ Url | ForEach-Object { $_.Value, $_.Source } | Should -Be @($null, 'not set')
        $settings | Where-Object Name -EQ Group | ForEach-Object { $_.Value, $_.Source } | Should -Be @('default', 'default')
        $settings | Where-Object Name -EQ TimeoutSec | ForEach-Object { $_.Value, $_.Source } | Should -Be @('100', 'default')
        $settings | Where-Object Name -EQ RetryIntervalSec | ForEach-Object { $_.Value, $_.Source } | Should -Be @('30', 'default')
    }

    It 'shows this machine''s id and what it is derived from' {
        if (-not (Test-Path /etc/machine-id)) { Set-ItResult -Skipped -Because 'this machine has no /etc/machine-id' }
        $id = Get-FleetLockConfiguration Id
        $id.Value | Should -Be (Get-FleetNodeId)
        $id.Source | Should -BeLike 'derived from *machine-id*'
    }

    It 'shows the values of a file with their lines, those of the environment, and the defaults' {
        Set-Content $file "{`n  // the fleet's own`n  `"url`": `"https://fleet.example`",`n  `"group`": `"workers`",`n  `"timeoutSec`": 7,`n}"
        $env:FLEETLOCK_CONFIG, $env:FLEETLOCK_GROUP, $env:FLEETLOCK_ID = $file, 'web', 'n1'
        Get-FleetLockConfiguration | ForEach-Object { "$($_.Name)=$($_.Value) ($($_.Source))" } | Should -Be @(
            "Url=https://fleet.example (${file}:3)"
            'Group=web (FLEETLOCK_GROUP)'
            'Id=n1 (FLEETLOCK_ID)'
            "TimeoutSec=7 (${file}:5)"
            'RetryIntervalSec=30 (default)'
        )
    }

    It 'reads the user''s own file' {
        if ($IsWindows) { Set-ItResult -Skipped -Because 'the folder is that of Unix' }
        $env:XDG_CONFIG_HOME = Join-Path $TestDrive 'xdg'
        $null = New-Item (Join-Path $env:XDG_CONFIG_HOME 'fleetlock') -ItemType Directory
        Set-Content (Join-Path $env:XDG_CONFIG_HOME 'fleetlock/config.json') '{"group": "mine"}'
        (Get-FleetLockConfiguration Group).Value | Should -Be 'mine'
    }

    It 'gives the other cmdlets what it shows' {
        $raw = New-RawServer
        Set-Content $file "{`"url`": `"$($raw.Url)`", `"group`": `"workers`", `"id`": `"n7`"}"
        $env:FLEETLOCK_CONFIG = $file
        $granted = Lock-FleetGroup
        $granted.Server, $granted.Group, $granted.Id | Should -Be @($raw.Url, 'workers', 'n7')
        (Lock-FleetGroup web).Group | Should -Be 'web'
        Stop-RawServer $raw
    }

    It 'says of a secret only that it is set' {
        $tokenFile = Join-Path $TestDrive 'token'
        Set-Content $tokenFile 's3cret-of-the-file'
        $env:FLEETLOCK_TOKEN, $env:FLEETLOCK_TOKEN_FILE, $env:FLEETLOCK_URL = 's3cret', $tokenFile, 'https://user:s3cret@fleet.example'
        $settings = Get-FleetLockConfiguration
        ($settings | Where-Object Name -EQ Token).Value | Should -Be 'set'
        ($settings | Where-Object Name -EQ TokenFile).Value | Should -Be $tokenFile
        ($settings | Where-Object Name -EQ Url).Value | Should -Be 'https://fleet.example'
        "$($settings | ConvertTo-Json) $settings $($settings | Out-String)" | Should -Not -Match 's3cret'
    }

    It 'shows only what -Name asks for' {
        (Get-FleetLockConfiguration -Name Group, TimeoutSec).Name | Should -Be @('Group', 'TimeoutSec')
        ('Group', 'TimeoutSec' | Get-FleetLockConfiguration).Name | Should -Be @('Group', 'TimeoutSec')
        { Get-FleetLockConfiguration -Name Colour } | Should -Throw '*Colour*'
    }

    It 'has one error for <Name>, with file, line and member' -ForEach @(
        @{ Name = 'an unknown member'; Text = "{`n  `"url`": `"https://fleet.example`",`n  `"colour`": `"red`"`n}"; Line = 3; Says = "*'colour'*" }
        @{ Name = 'a wrong type'; Text = "{`n  `"timeoutSec`": `"7`"`n}"; Line = 2; Says = "*'timeoutSec'*" }
        @{ Name = 'a member that is there twice'; Text = "{`"group`": `"a`",`n`"group`": `"b`"}"; Line = 2; Says = "*'group'*" }
        @{ Name = 'what is not JSON'; Text = "{`n  url: x`n}"; Line = 2; Says = '*' }
        @{ Name = 'a token in the file'; Text = "{`"token`": `"s3cret`"}"; Line = 1; Says = "*'token'*tokenFile*" }
    ) {
        Set-Content $file $Text
        $env:FLEETLOCK_CONFIG = $file
        Get-FleetLockConfiguration -ErrorAction SilentlyContinue -ErrorVariable failed | Should -BeNullOrEmpty
        $failed.Count | Should -Be 1
        $failed[0].FullyQualifiedErrorId | Should -Be 'FleetConfigurationInvalid,FleetLock.PowerShell.Commands.GetFleetLockConfigurationCommand'
        $failed[0].CategoryInfo.Category | Should -Be 'InvalidArgument'
        "$($failed[0])" | Should -BeLike "${file}:${Line}:*"
        "$($failed[0])" | Should -BeLike $Says
        "$($failed[0])" | Should -Not -Match 's3cret'
    }

    It 'lists an invalid value with its source, and has an error for it' {
        $env:FLEETLOCK_GROUP = 'b d'
        $shown = Get-FleetLockConfiguration -ErrorAction SilentlyContinue -ErrorVariable failed
        ($shown | Where-Object Name -EQ Group).Source | Should -Be 'FLEETLOCK_GROUP'
        $failed[0].FullyQualifiedErrorId | Should -BeLike 'FleetGroupInvalid,*'
    }

    It 'has an error for a named file that is not there, and so has every other cmdlet' {
        $env:FLEETLOCK_CONFIG = Join-Path $TestDrive 'absent.json'
        foreach ($command in { Get-FleetLockConfiguration -ErrorAction Stop }, { Lock-FleetGroup web -Id n1 -Uri http://127.0.0.1:1 -ErrorAction Stop }, { Unlock-FleetGroup web -Id n1 -Uri http://127.0.0.1:1 -ErrorAction Stop }, { Invoke-FleetLock { 'ran' } -Group web -Id n1 -Uri http://127.0.0.1:1 }) {
            $command | Should -Throw '*absent.json*FLEETLOCK_CONFIG*' -ErrorId 'FleetConfigurationInvalid,*'
        }
        $check = Test-FleetLock -Uri http://127.0.0.1:1
        $check.Name, $check.Passed | Should -Be @('Configuration', $false)
        $check.Message | Should -BeLike '*absent.json*'
    }
}
