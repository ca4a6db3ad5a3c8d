BeforeAll {
    . $PSScriptRoot/Common.ps1
}

Describe 'Unlock-FleetGroup -Force against the real server' {
    BeforeAll {
        $server = Start-TestServer -Group 'workers=20'
    }

    AfterAll {
        Stop-TestServer $server
    }

    It 'frees the slot of another, and writes who held it only with -PassThru' {
        $null = 'n1', 'n2' | Lock-FleetGroup -Group workers -Uri $server.Uri
        Unlock-FleetGroup workers -Id n1 -Force -Reason 'disk died' -Uri $server.Uri | Should -BeNullOrEmpty
        $result = Unlock-FleetGroup workers -Id n2 -Force -Reason 'disk died' -Uri $server.Uri -PassThru
        $result.Status, $result.Holder.Id, $result.Holder.From | Should -Be @('Released', 'n2', '127.0.0.1')
        Get-Holder $server workers | Should -BeNullOrEmpty
    }

    It 'frees <_>, whatever a path would make of it' -ForEach 'a/b', '..', '.', '%2F', 'a%2Fb', 'é', 'a b', 'a?b#c', 'a+b', 'a&id=n9', '日本', "it's", '[x]' {
        $null = Lock-FleetGroup workers -Id n9 -Uri $server.Uri
        $null = Lock-FleetGroup workers -Id $_ -Uri $server.Uri
        (Unlock-FleetGroup workers -Id $_ -Force -Reason dead -Uri $server.Uri -PassThru).Holder.Id | Should -BeExactly $_
        Get-Holder $server workers | Should -Be 'n9'
    }

    It 'takes the holders of Get-FleetGroup from the pipeline, with their group and their server' {
        $null = 'n1', 'n2', 'n9' | Lock-FleetGroup -Group workers -Uri $server.Uri
        (Get-FleetGroup workers -Uri $server.Uri).Holders | Where-Object Id -NE n9 | Unlock-FleetGroup -Force -Reason dead
        Get-Holder $server workers | Should -Be 'n9'
    }

    It 'takes ids from the pipeline' {
        $null = 'n1', 'n2' | Lock-FleetGroup -Group workers -Uri $server.Uri
        ('n1', 'n2' | Unlock-FleetGroup -Group workers -Force -Reason dead -ThrottleLimit 1 -Uri $server.Uri -PassThru).Id | Should -Be @('n1', 'n2')
    }

    It 'is an error for an id that holds none: it may be misspelt' {
        { Unlock-FleetGroup workers -Id nope -Force -Reason dead -Uri $server.Uri -ErrorAction Stop } |
            Should -Throw -ErrorId 'FleetGroupRefused,FleetLock.PowerShell.Commands.UnlockFleetGroupCommand' -ExpectedMessage '*(not_held)*'
    }

    It 'frees nothing with -WhatIf' {
        $null = Lock-FleetGroup workers -Id n1 -Uri $server.Uri
        Unlock-FleetGroup workers -Id n1 -Force -Reason dead -Uri $server.Uri -WhatIf -PassThru | Should -BeNullOrEmpty
        Get-Holder $server workers | Should -Contain 'n1'
    }
}

Describe 'Unlock-FleetGroup -Force against literal answers' {
    BeforeEach {
        $raw = New-RawServer (New-Answer 200 '{"id":"n1"}')
    }

    AfterEach {
        Stop-RawServer $raw
    }

    It 'is an error without a reason, in place of a question that nobody answers' {
        { Unlock-FleetGroup web -Id n1 -Force -Uri $raw.Url } | Should -Throw -ErrorId 'FleetReasonInvalid,*' -ExpectedMessage '*-Reason*'
        { Unlock-FleetGroup web -Id n1 -Reason dead -Uri $raw.Url } | Should -Throw -ErrorId 'FleetReasonInvalid,*' -ExpectedMessage '*-Force*'
        { Unlock-FleetGroup web -Id n1 -Force -Reason ' ' -Uri $raw.Url } | Should -Throw -ErrorId 'FleetReasonInvalid,*'
        $raw.Requests.Count | Should -Be 0
    }

    It 'never frees this machine''s own slot by default' {
        $env:FLEETLOCK_ID = 'n1'
        { Unlock-FleetGroup web -Force -Reason dead -Uri $raw.Url } | Should -Throw -ErrorId 'FleetNodeIdInvalid,*'
        $env:FLEETLOCK_ID = $null
        $raw.Requests.Count | Should -Be 0
    }

    It 'asks for no confirmation in an unattended run' {
        $output = Invoke-Engine -Command "Import-Module '$ModulePath'; (Unlock-FleetGroup web -Id n1 -Force -Reason dead -Uri $($raw.Url) -PassThru).Status"
        $output | Should -Be 'Released'
    }

    It 'sends the header and the reason' {
        Unlock-FleetGroup web -Id n1 -Force -Reason 'disk & fan' -Uri $raw.Url
        @($raw.Requests)[0].Line | Should -Be 'DELETE /v1/groups/web/holders?id=n1&reason=disk%20%26%20fan HTTP/1.1'
        @($raw.Requests)[0].Head | Should -Match '(?i)fleet-lock-protocol: true'
    }

    It 'is no success when the answer is about another id' {
        { Unlock-FleetGroup web -Id n2 -Force -Reason dead -Uri $raw.Url -ErrorAction Stop } | Should -Throw -ErrorId 'FleetProtocolError,*'
    }

    It 'writes the error <ErrorId> for <Status>' -ForEach @(
        @{ Status = 403; Body = '{"kind":"forbidden","value":"only for the server''s own machine"}'; ErrorId = 'FleetGroupRefused'; Category = 'PermissionDenied' }
        @{ Status = 404; Body = '{"kind":"unknown_group","value":"no such group"}'; ErrorId = 'FleetGroupRefused'; Category = 'InvalidArgument' }
        @{ Status = 404; Body = '404 page not found'; ErrorId = 'FleetProtocolError'; Category = 'ProtocolError' }
        @{ Status = 200; Body = ''; ErrorId = 'FleetProtocolError'; Category = 'ProtocolError' }
        @{ Status = 503; Body = '{"kind":"store_unavailable","value":"away"}'; ErrorId = 'FleetServerUnreachable'; Category = 'ConnectionError' }
    ) {
        $other = New-RawServer (New-Answer $Status $Body)
        $null = Unlock-FleetGroup web -Id n1 -Force -Reason dead -Uri $other.Url -PassThru -ErrorAction SilentlyContinue -ErrorVariable errors | Should -BeNullOrEmpty
        $errors[0].FullyQualifiedErrorId | Should -BeLike "$ErrorId,*"
        $errors[0].CategoryInfo.Category | Should -Be $Category
        $errors[0].TargetObject.Group | Should -Be 'web'
        Stop-RawServer $other
    }

    It 'is unreachable where nobody listens' {
        $gone = New-RawServer
        $url = $gone.Url
        Stop-RawServer $gone
        { Unlock-FleetGroup web -Id n1 -Force -Reason dead -Uri $url -ErrorAction Stop } | Should -Throw -ErrorId 'FleetServerUnreachable,*'
    }
}
