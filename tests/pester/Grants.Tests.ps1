BeforeAll {
    . $PSScriptRoot/Common.ps1

    # A server with two groups of which a is full; n1 holds b by an earlier lock, which was answered.
    function Start-HeldServer {
        $server = Start-TestServer -Group 'a=1', 'b=1'
        $null = Lock-FleetGroup a -Id other -Uri $server.Uri
        $null = Lock-FleetGroup b -Id n1 -Uri $server.Uri
        $server
    }
}

Describe 'A slot that the id held before' {
    BeforeAll {
        $server = Start-HeldServer
    }

    AfterAll {
        Stop-TestServer $server
    }

    It 'is left when another item ends the pipeline by -ErrorAction Stop' {
        foreach ($attempt in 1..10) {
            { 'a', 'b' | Lock-FleetGroup -Id n1 -Uri $server.Uri -ErrorAction Stop } | Should -Throw -ErrorId 'FleetGroupBusy,*'
            Get-Holder $server b | Should -Be 'n1'
        }
    }

    It 'is left when Select-Object has enough' {
        $null = Unlock-FleetGroup a -Id other -Uri $server.Uri
        ('a', 'b' | Lock-FleetGroup -Id n1 -Uri $server.Uri | Select-Object -First 1).Status | Should -Be 'Granted'
        Get-Holder $server b | Should -Be 'n1'
    }
}

Describe 'A result' {
    BeforeAll {
        $server = Start-TestServer -Group 'web=1'
    }

    AfterAll {
        Stop-TestServer $server
    }

    AfterEach {
        Unlock-FleetGroup web -Id n1 -Uri $server.Uri
    }

    It 'says whether its grant is new, also in JSON and after Export-Clixml' {
        $first = Lock-FleetGroup web -Id n1 -Uri $server.Uri
        $second = Lock-FleetGroup web -Id n1 -Uri $server.Uri
        $first.IsNewGrant, $second.IsNewGrant | Should -Be @($true, $false)
        $first.GrantId | Should -Match '^[0-9a-f]{32}$'
        $second.GrantId | Should -Be $first.GrantId
        $path = Join-Path $TestDrive 'grant.xml'
        $first | Export-Clixml $path
        foreach ($again in ($first | ConvertTo-Json | ConvertFrom-Json), (Import-Clixml $path)) {
            $again.GrantId, $again.IsNewGrant | Should -Be @($first.GrantId, $true)
        }
    }

    It 'says nothing of it where the server does not' {
        $raw = New-RawServer
        $granted = Lock-FleetGroup web -Id n1 -Uri $raw.Url
        $null -eq $granted.GrantId -and $null -eq $granted.IsNewGrant | Should -BeTrue
        Stop-RawServer $raw
    }

    It 'is released by its grant with -GrantId' {
        $granted = Lock-FleetGroup web -Id n1 -Uri $server.Uri
        ($granted | Unlock-FleetGroup -GrantId $granted.GrantId -PassThru).Status | Should -Be 'Released'
        Get-Holder $server web | Should -BeNullOrEmpty
    }

    It 'is kept by -GrantId when another lock was granted it too, and released by its id from the pipeline' {
        $first, $second = 1, 2 | ForEach-Object { Lock-FleetGroup web -Id n1 -Uri $server.Uri }
        { Unlock-FleetGroup web -Id n1 -GrantId $first.GrantId -Uri $server.Uri -ErrorAction Stop } | Should -Throw -ErrorId 'FleetGrantKept,*'
        Get-Holder $server web | Should -Be 'n1'
        $second | Unlock-FleetGroup
        Get-Holder $server web | Should -BeNullOrEmpty
        { Unlock-FleetGroup web -Id n1 -GrantId $first.GrantId -Uri $server.Uri -ErrorAction Stop } | Should -Throw -ErrorId 'FleetGroupRefused,*'
    }

    It 'refuses a grant id of another form before anything is sent' {
        $raw = New-RawServer
        { Unlock-FleetGroup web -Id n1 -GrantId '0123' -Uri $raw.Url } | Should -Throw -ErrorId 'FleetGrantIdInvalid,*'
        $raw.Requests.Count | Should -Be 0
        Stop-RawServer $raw
    }
}

Describe 'A slot that cannot be undone' {
    It 'is named in the error, with the command that releases it, and never unlocked' {
        $raw = New-RawServer ([FleetLock.TestKit.RawAnswer]::Close), (New-Answer 404)
        $null = Lock-FleetGroup web -Id "it's" -Uri $raw.Url -ErrorAction SilentlyContinue -ErrorVariable failed
        "$($failed[0])" | Should -BeLike "*Unlock-FleetGroup -Group web -Id 'it''s'"
        $failed[0].TargetObject.OutcomeUnknown | Should -BeTrue
        $raw.Requests.Line -match 'steady-state' | Should -BeNullOrEmpty
        Stop-RawServer $raw
    }

    It 'is reported by the host after <Command>, whose pipeline is stopped' -ForEach @(
        @{ Command = 'Lock-FleetGroup web -Id n1' }
        @{ Command = 'Invoke-FleetLock { 1 } -Group web -Id n1' }
    ) {
        # In an engine of its own, whose host is the one that people have.
        $script = Join-Path $TestDrive 'stopped.ps1'
        Set-Content $script @'
param($ModulePath, $TestKitPath, $Command)
Add-Type -Path $TestKitPath
$raw = [FleetLock.TestKit.RawServer]::new([FleetLock.TestKit.RawAnswer[]]([FleetLock.TestKit.RawAnswer]::Never, [FleetLock.TestKit.RawAnswer]::Http(404, '', [string[]]@())))
$runspace = [runspacefactory]::CreateRunspace($Host)
$runspace.Open()
$shell = [powershell]::Create($runspace)
$null = $shell.AddScript("Import-Module '$ModulePath'; $Command -Uri $($raw.Url)").BeginInvoke()
$raw.Asked.Wait()
$shell.Stop()
'@
        (Invoke-Engine -File $script $ModulePath $TestKitPath $Command) -join ' ' | Should -BeLike "*Unlock-FleetGroup -Group web -Id 'n1'*"
    }
}

Describe 'Confirm-FleetStoreRestore' {
    It 'is silent when the server has confirmed it' {
        $raw = New-RawServer (New-Answer 200 '{"confirmed":true}')
        Confirm-FleetStoreRestore -Uri $raw.Url | Should -BeNullOrEmpty
        $raw.Requests.Line | Should -Be 'DELETE /v1/restore-mark HTTP/1.1'
        Stop-RawServer $raw
    }

    It 'sends nothing with -WhatIf' {
        $raw = New-RawServer
        Confirm-FleetStoreRestore -Uri $raw.Url -WhatIf
        $raw.Requests.Count | Should -Be 0
        Stop-RawServer $raw
    }

    It 'is the error <ErrorId> for <Status>' -ForEach @(
        @{ Status = 404; Body = '404 page not found'; ErrorId = 'FleetProtocolError' }
        @{ Status = 403; Body = '{"kind":"forbidden","value":"administrators only"}'; ErrorId = 'FleetGroupRefused' }
        @{ Status = 503; Body = '{"kind":"store_unavailable","value":"away"}'; ErrorId = 'FleetServerUnreachable' }
    ) {
        $raw = New-RawServer (New-Answer $Status $Body)
        { Confirm-FleetStoreRestore -Uri $raw.Url -ErrorAction Stop } | Should -Throw -ErrorId "$ErrorId,*"
        Stop-RawServer $raw
    }
}
