BeforeAll {
    . $PSScriptRoot/Common.ps1
    . $PSScriptRoot/Certificates.ps1

    $authority = New-Authority
    $stranger = New-Authority 'Another authority'
    Set-Content "$TestDrive/ca.pem" $authority.ExportCertificatePem()
    Set-Content "$TestDrive/both.pem" $stranger.ExportCertificatePem(), $authority.ExportCertificatePem()
    Set-Content "$TestDrive/stranger.pem" $stranger.ExportCertificatePem()
    $certificate = New-SignedCertificate $authority -Address 127.0.0.1
}

Describe 'A server behind TLS' {
    BeforeAll {
        $raw = New-RawServer -Certificate $certificate
        $slot = @{ Group = 'web'; Id = 'n1'; Uri = $raw.Url }
    }

    AfterAll {
        Stop-RawServer $raw
    }

    It 'is not trusted when its authority is unknown here' {
        { Lock-FleetGroup @slot -ErrorAction Stop } | Should -Throw -ErrorId 'FleetServerUnreachable,*'
    }

    It 'is trusted with its authority by -CaCertificatePath, also among others' {
        (Lock-FleetGroup @slot -CaCertificatePath "$TestDrive/ca.pem").Status | Should -Be 'Granted'
        (Lock-FleetGroup @slot -CaCertificatePath "$TestDrive/both.pem").Status | Should -Be 'Granted'
        Invoke-FleetLock { 'ran' } @slot -CaCertificatePath "$TestDrive/ca.pem" | Should -Be 'ran'
    }

    It 'is not trusted with another authority' {
        { Lock-FleetGroup @slot -CaCertificatePath "$TestDrive/stranger.pem" -ErrorAction Stop } | Should -Throw -ErrorId 'FleetServerUnreachable,*'
    }

    It 'is trusted by FLEETLOCK_CA_CERTIFICATE_PATH' {
        $env:FLEETLOCK_CA_CERTIFICATE_PATH = "$TestDrive/ca.pem"
        try { (Lock-FleetGroup @slot).Status | Should -Be 'Granted' } finally { $env:FLEETLOCK_CA_CERTIFICATE_PATH = $null }
    }

    It 'is found by a path that is relative to PowerShell''s own folder' {
        Push-Location $TestDrive
        try {
            [Environment]::CurrentDirectory | Should -Not -Be (Get-Location).Path
            (Lock-FleetGroup @slot -CaCertificatePath ca.pem).Status | Should -Be 'Granted'
            (Lock-FleetGroup @slot -CaCertificatePath ./ca.pem).Status | Should -Be 'Granted'
            (Lock-FleetGroup @slot -CaCertificatePath TestDrive:/ca.pem).Status | Should -Be 'Granted'
        }
        finally {
            Pop-Location
        }
    }

    It 'is an error of the certificate when <Name>' -ForEach @(
        @{ Name = 'the file is not there'; File = 'absent.pem'; Text = $null }
        @{ Name = 'the file holds no certificate'; File = 'empty.pem'; Text = 'nothing' }
        @{ Name = 'the file is broken'; File = 'broken.pem'; Text = "-----BEGIN CERTIFICATE-----`nAAAA`n-----END CERTIFICATE-----" }
    ) {
        if ($Text) { Set-Content "$TestDrive/$File" $Text }
        { Lock-FleetGroup @slot -CaCertificatePath "$TestDrive/$File" -ErrorAction Stop } | Should -Throw "*$File*" -ErrorId 'FleetCertificateInvalid,*'
    }

    It 'is not checked with -SkipCertificateCheck, which warns each time' {
        foreach ($time in 1..2) {
            (Lock-FleetGroup @slot -SkipCertificateCheck -WarningVariable warned -WarningAction SilentlyContinue).Status | Should -Be 'Granted'
            $warned.Count | Should -Be 1
        }
        $null = Unlock-FleetGroup @slot -SkipCertificateCheck -WarningVariable warned -WarningAction SilentlyContinue
        $warned.Count | Should -Be 1
        $null = Test-FleetLock @slot -SkipCertificateCheck -WarningVariable warned -WarningAction SilentlyContinue
        $warned.Count | Should -Be 1
        Invoke-FleetLock { 'ran' } @slot -SkipCertificateCheck -WarningVariable warned -WarningAction SilentlyContinue | Should -Be 'ran'
        $warned.Count | Should -Be 1
    }

    It 'is checked again in the call after -SkipCertificateCheck' {
        $null = Lock-FleetGroup @slot -SkipCertificateCheck -WarningAction SilentlyContinue
        { Lock-FleetGroup @slot -ErrorAction Stop } | Should -Throw -ErrorId 'FleetServerUnreachable,*'
    }

    It 'has its days counted by the doctor, who names what is wrong with its certificate' {
        $check = Test-FleetLock @slot -CaCertificatePath "$TestDrive/ca.pem" | Where-Object Name -EQ TLS
        $check.Passed | Should -BeTrue
        $check.Message | Should -BeLike '* 90 *'
        $check = Test-FleetLock @slot
        $check[-1].Name, $check[-1].Passed | Should -Be @('TLS', $false)
    }

    It 'is unreachable with a certificate <Name>' -ForEach @(
        @{ Name = 'for another name'; Make = { New-SignedCertificate $authority -Name another.example } }
        @{ Name = 'that has expired'; Make = { New-SignedCertificate $authority -Address 127.0.0.1 -DaysLeft -0.5 } }
    ) {
        $other = New-RawServer -Certificate (& $Make)
        { Lock-FleetGroup web -Id n1 -Uri $other.Url -CaCertificatePath "$TestDrive/ca.pem" -ErrorAction Stop } | Should -Throw -ErrorId 'FleetServerUnreachable,*'
        $other.Requests.Count | Should -Be 0
        Stop-RawServer $other
    }
}

Describe 'A client certificate' {
    BeforeAll {
        $server = New-RawServer (New-Answer 200) $certificate -AsksForCertificate
        $slot = @{ Group = 'web'; Id = 'n1'; Uri = $server.Url; CaCertificatePath = "$TestDrive/ca.pem" }
        $own = New-SignedCertificate $authority -Name client
        $key = [Security.Cryptography.X509Certificates.ECDsaCertificateExtensions]::GetECDsaPrivateKey($own)
        Set-Content "$TestDrive/client.pem" $own.ExportCertificatePem(), $key.ExportPkcs8PrivateKeyPem()
        [IO.File]::WriteAllBytes("$TestDrive/client.pfx", $own.Export('Pkcs12'))
    }

    AfterAll {
        Stop-RawServer $server
    }

    It 'is not shown when there is none' {
        $null = Lock-FleetGroup @slot
        @($server.Requests)[-1].ClientThumbprint | Should -Be ''
    }

    It 'is shown with -Certificate' {
        $null = Lock-FleetGroup @slot -Certificate $own
        @($server.Requests)[-1].ClientThumbprint | Should -Be $own.Thumbprint
    }

    It 'is shown with -CertificatePath <_>, relative to PowerShell''s own folder' -ForEach 'client.pem', './client.pfx' {
        Push-Location $TestDrive
        try { $null = Unlock-FleetGroup @slot -CertificatePath $_ } finally { Pop-Location }
        @($server.Requests)[-1].ClientThumbprint | Should -Be $own.Thumbprint
    }

    It 'is an error when the file has no private key' {
        { Lock-FleetGroup @slot -CertificatePath "$TestDrive/ca.pem" -ErrorAction Stop } | Should -Throw '*ca.pem*' -ErrorId 'FleetCertificateInvalid,*'
    }
}

Describe 'The way to the server' {
    BeforeEach {
        $raw = New-RawServer
    }

    AfterEach {
        Stop-RawServer $raw
    }

    It 'goes through -Proxy' {
        $null = Lock-FleetGroup web -Id n1 -Uri http://fleet.example -Proxy $raw.Url
        @($raw.Requests)[0].Line | Should -Be 'POST http://fleet.example/v1/pre-reboot HTTP/1.1'
    }

    It 'is unreachable through a proxy that refuses' {
        $refusing = New-RawServer (New-Answer 407 '<html>')
        { Lock-FleetGroup web -Id n1 -Uri https://fleet.example -Proxy $refusing.Url -ErrorAction Stop } | Should -Throw '*proxy*' -ErrorId 'FleetServerUnreachable,*'
        Stop-RawServer $refusing
    }

    It 'goes through the proxy of the environment, and not with -NoProxy' {
        # In a process of its own, because the environment's proxy is read once.
        $away = New-RawServer
        $env:http_proxy = $raw.Url
        try {
            $status = Invoke-Engine -Command "Import-Module '$ModulePath'; (Lock-FleetGroup web -Id n1 -Uri $($away.Url) -NoProxy).Status; (Lock-FleetGroup web -Id n1 -Uri http://fleet.example).Status; Test-FleetLock -Uri http://fleet.example | Where-Object Name -EQ Proxy | ForEach-Object Message"
        }
        finally {
            $env:http_proxy = $null
        }
        $status[0..1] | Should -Be @('Granted', 'Granted')
        $status[2] | Should -BeLike "*$($raw.Url)*"
        $away.Requests.Count | Should -Be 1
        @($raw.Requests)[0].Line | Should -BeLike 'POST http://fleet.example/v1/pre-reboot*'
        Stop-RawServer $away
    }

    It 'has one time limit for a request, and none with -TimeoutSec 0' {
        (Lock-FleetGroup web -Id n1 -Uri $raw.Url -TimeoutSec 0).Status | Should -Be 'Granted'
        { Lock-FleetGroup web -Id n1 -Uri $raw.Url -TimeoutSec -1 } | Should -Throw -ErrorId 'ParameterArgumentValidationError,*'
        { Lock-FleetGroup web -Id n1 -Uri $raw.Url -TimeoutSec 2147483647 } | Should -Throw -ErrorId 'ParameterArgumentValidationError,*'
    }

    It 'is the same for a base address with a slash at its end, which no object shows' {
        $granted = Lock-FleetGroup web -Id n1 -Uri "$($raw.Url)/base/"
        $granted.Server | Should -Be "$($raw.Url)/base"
        $granted.Server | Should -BeOfType string
        Get-Asked $raw | Should -Be '/base/v1/pre-reboot'
    }

    It 'goes over a Unix socket' {
        if ($IsWindows) { Set-ItResult -Skipped -Because 'the path is that of Unix' }
        $path = "/tmp/fleetlock-$PID-$(Get-Random).sock"
        $listener = [Net.Sockets.Socket]::new('Unix', 'Stream', 'Unspecified')
        $listener.Bind([Net.Sockets.UnixDomainSocketEndPoint]::new($path))
        $listener.Listen()
        try {
            $running = Start-Script "Lock-FleetGroup web -Id n1 -Uri http+unix://$([uri]::EscapeDataString($path))"
            $peer = $listener.Accept()
            $buffer = [byte[]]::new(65536)
            $asked = [Text.Encoding]::ASCII.GetString($buffer, 0, $peer.Receive($buffer))
            $null = $peer.Send([Text.Encoding]::ASCII.GetBytes("HTTP/1.1 200 OK`r`nContent-Length: 0`r`n`r`n"))
            $granted = (Complete-Script $running).Output
            $granted.Status, $granted.Server | Should -Be @('Granted', "http+unix://$([uri]::EscapeDataString($path))")
            $asked | Should -BeLike "POST /v1/pre-reboot HTTP/1.1`r`nHost: localhost*"
        }
        finally {
            if ($peer) { $peer.Dispose() }
            $listener.Dispose()
            Remove-Item $path -ErrorAction Ignore
        }
    }
}
