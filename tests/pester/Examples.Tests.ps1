# Every example of the help and of the README, run against a real server with TLS, tokens and roles, each in a folder and an engine of its own.

BeforeDiscovery {
    $root = Split-Path (Split-Path $PSScriptRoot)
    $examples = @(
        foreach ($file in Get-ChildItem "$root/docs/en-US/*-*.md") {
            foreach ($match in [regex]::Matches((Get-Content $file -Raw), '(?s)\n### (?<Title>Example [^\n]+)\n+```powershell\n(?<Code>.*?)\n```')) {
                @{ Source = $file.BaseName; Title = $match.Groups['Title'].Value; Code = $match.Groups['Code'].Value; Refused = 0 }
            }
        }
        $number = 0
        foreach ($match in [regex]::Matches((Get-Content "$root/README.md" -Raw), '(?s)```powershell\n(.*?)\n```')) {
            # In a transcript what is typed stands behind a prompt, and an error begins with its cmdlet's name.
            $lines = $match.Groups[1].Value -split '\n'
            $typed = @($lines -clike 'PS> *' -replace '^PS> ')
            @{ Source = 'README'; Title = "block $((++$number))"; Code = $(if ($typed) { $typed } else { $lines }) -join "`n"; Refused = @($lines -cmatch '^[A-Z][a-z]+-Fleet\w+: ').Count }
        }
    )
    $elsewhere = @($examples | Where-Object { $_.Code -clike '# Only on Windows*' })
    $here = @($examples | Where-Object { $_.Code -cnotlike '# Only on Windows*' })
    $count = @{ Here = $here.Count; Elsewhere = $elsewhere.Count; Cmdlets = @($examples.Source -ne 'README' | Select-Object -Unique).Count }
}

BeforeAll {
    . $PSScriptRoot/Common.ps1
    . $PSScriptRoot/Certificates.ps1

    function Get-KeyPem {
        param($Certificate)

        [Security.Cryptography.X509Certificates.ECDsaCertificateExtensions]::GetECDsaPrivateKey($Certificate).ExportPkcs8PrivateKeyPem()
    }

    $authority = New-Authority
    $certificate = New-SignedCertificate $authority -Name localhost -Address 127.0.0.1
    $ca = Join-Path $TestDrive 'ca.pem'
    Set-Content $ca $authority.ExportCertificatePem()
    Set-Content "$TestDrive/server.pem" $certificate.ExportCertificatePem()
    Set-Content "$TestDrive/server.key" (Get-KeyPem $certificate)
    $node = New-SignedCertificate $authority -Name node-1
    $token = 'a-token-of-the-operator'
    $slots = @{ default = 1; controllers = 1; workers = 3; web = 2; backup = 1 }
    @{
        listen             = 'https://127.0.0.1:0'
        groups             = $slots
        data               = ':memory:'
        tls                = @{ certificate = "$TestDrive/server.pem"; key = "$TestDrive/server.key"; clientCa = $ca; clientCertificate = 'allow' }
        clientCertificates = @(@{ name = '*'; role = 'node'; ownIdOnly = $true })
        tokens             = @(@{ name = 'ops'; role = 'admin'; sha256 = [Convert]::ToHexString([Security.Cryptography.SHA256]::HashData([Text.Encoding]::UTF8.GetBytes($token))).ToLowerInvariant() })
    } | ConvertTo-Json -Depth 4 | Set-Content "$TestDrive/secure.json"
    $server = Start-FleetLockServer -ConfigPath "$TestDrive/secure.json"

    # What an operator's machine has been told.
    $told = @{ FLEETLOCK_URL = $server.Uri; FLEETLOCK_CA_CERTIFICATE_PATH = $ca; FLEETLOCK_TOKEN = $token }
    function Set-Machine {
        param([string] $Code)

        foreach ($name in $told.Keys) { [Environment]::SetEnvironmentVariable($name, $told[$name]) }
        $env:FLEETLOCK_CONFIG = $null

        # An example that gives a credential itself has no other.
        if ($Code -match '-Token |\bCertificatePath ') { $env:FLEETLOCK_TOKEN = $null }
        if ($Code -match '\bCaCertificatePath ') { $env:FLEETLOCK_CA_CERTIFICATE_PATH = $null }
    }

    # One machine of another name holds a slot; nobody else does.
    function Reset-Server {
        Set-Machine
        Get-FleetGroup | ForEach-Object Holders | Unlock-FleetGroup -Force -Reason 'the next example'
        foreach ($group in $slots.Keys) { Set-FleetGroup $group $slots[$group] }
        $null = Lock-FleetGroup -Group workers -Id node-7
    }

    # The scripts and tables that the examples speak of.
    function New-Folder {
        $folder = (New-Item (Join-Path $TestDrive ([guid]::NewGuid())) -ItemType Directory).FullName
        'patch', 'check-health', 'backup' | ForEach-Object { Set-Content "$folder/$_.ps1" "'$_ ran'" }
        Set-Content "$folder/runbook.ps1" '$slot = Lock-FleetGroup -Group workers -ErrorAction Stop; ''patched''; $slot | Unlock-FleetGroup'
        Set-Content "$folder/nodes.txt" 'node-1', 'node-2', 'node-3'
        Set-Content "$folder/machines.csv" 'Group,Id', 'web,web-1', 'web,web-2', 'workers,worker-1'
        Set-Content "$folder/inventory.csv" 'Name,MachineId', 'alpha,dfd7882acda64c34aca76193c46f5d4e', 'beta,37974b3f7dc54f949209b4fd5b3c5704', 'gamma,dfd7882acda64c34aca76193c46f5d4e'
        Copy-Item $ca "$folder/ca.pem"
        Set-Content "$folder/node-1.pem" $node.ExportCertificatePem(), (Get-KeyPem $node)
        ConvertTo-SecureString $token -AsPlainText | Export-Clixml "$folder/token.xml"
        @{ listen = 'http://127.0.0.1:0'; groups = @{ workers = 1 }; data = "$folder/detached.db" } | ConvertTo-Json | Set-Content "$folder/server.json"
        $folder
    }

    # As it is written, but for addresses and for what would take this machine down.
    function Invoke-Example {
        param([string] $Code)

        $port = [FleetLock.TestKit.FreePort]::Find()
        $code = $Code.Replace('https://fleetlock.example.net', $server.Uri).Replace('http://127.0.0.1:3333', $server.Uri).Replace('3333', "$port").Replace('./out/FleetLock', $ModulePath)
        Complete-Script (Start-Script "Set-Location '$(New-Folder)'; function Restart-Computer { 'the machine reboots' }; trap { Write-Error -ErrorRecord `$_; break }`n$code")
    }

    # What some of them are about, beyond that they run.
    $expected = @{
        'Lock-FleetGroup, Example 1: Take a slot or stop the runbook'                                   = { $Output[0].Status -eq 'Granted' -and $Output[1..2] -join ', ' -eq 'patch ran, the machine reboots' }
        'Lock-FleetGroup, Example 4: Tell a full group from a server that is away'                      = { $Output[1] -eq 'Full: all 1 semaphore slots currently locked' }
        'Lock-FleetGroup, Example 5: Take slots for a list of machines'                                 = { $Output[-1] -eq '1 machines have no slot.' }
        'Lock-FleetGroup, Example 6: Take slots as a table says'                                        = { ($Output.Id | Sort-Object) -join ' ' -eq 'web-1 web-2 worker-1' }
        'Lock-FleetGroup, Example 7: Show a certificate to a server that knows its machines'            = { $Output.Id -eq 'node-1' }
        'Unlock-FleetGroup, Example 2: Hold a slot for a part of a script'                              = { $Output -eq 'patch ran' -and (Get-FleetGroup workers).Holders.Id -eq 'node-7' }
        'Unlock-FleetGroup, Example 4: Free the slot of a machine that died'                            = { $Output.Holder.Id -eq 'node-7' -and (Get-FleetGroup workers).Free -eq 3 }
        'Invoke-FleetLock, Example 1: Patch when it is this machine''s turn'                            = { $Output -eq 'patch ran' -and (Get-FleetGroup workers).Holders.Id -eq 'node-7' }
        'Invoke-FleetLock, Example 4: Give the block arguments and keep what it writes'                 = { $Output -eq 2 }
        'Test-FleetLock, Example 1: See whether a lock would work from here'                            = { $Output.Count -gt 5 -and $false -notin $Output.Passed }
        'Test-FleetLock, Example 3: See only what is wrong and what to do about it'                     = { ($Output | Out-String) -match 'Advice\s+: Name one of its groups' }
        'Test-FleetLock, Example 4: Try a server, its authority and a token before the fleet uses them' = { $Output.Count -gt 5 -and $false -notin $Output.Passed }
        'Get-FleetGroup, Example 2: See who holds the slots of a group'                                 = { $Output.Id -eq 'node-7' }
        'Set-FleetGroup, Example 2: Freeze a group'                                                     = { $Output.Slots -eq 0 -and $Output.Holders.Id -eq 'node-7' }
        'Set-FleetGroup, Example 3: Freeze all groups during an incident'                               = { (Get-FleetGroup workers).Slots -eq 3 }
        'Set-FleetGroup, Example 4: See what would be done'                                             = { (Get-FleetGroup workers).Slots -eq 3 }
        'Get-FleetNodeId, Example 2: Show the id of another machine'                                    = { $Output -eq '35ba2101ae3f4d45b96e9c51f461bbff' }
        'Get-FleetNodeId, Example 3: Find clones in an inventory'                                       = { $Output -eq 'alpha, gamma share the id 35ba2101ae3f4d45b96e9c51f461bbff' }
        'Get-FleetLockConfiguration, Example 3: Make a configuration file and see that it is in force'  = { $Output.Value -join ' ' -eq "$($server.Uri) workers" }
        'Start-FleetLockServer, Example 2: Test a runbook in a CI job'                                  = { $Output[-1] -eq $true }
        'Start-FleetLockServer, Example 3: Keep the holders across restarts'                            = { $Output -eq 'node-1' }
        'Stop-FleetLockServer, Example 3: Stop several'                                                 = { $Output -join ' ' -eq 'False False' }
    }
    $seen = [Collections.Generic.HashSet[string]]::new()
}

AfterAll {
    foreach ($name in @($told.Keys) + 'FLEETLOCK_CONFIG') { [Environment]::SetEnvironmentVariable($name, $null) }
    $server | Stop-FleetLockServer
}

Describe '<Source>, <Title>' -ForEach $here {
    It 'runs as it is written' {
        Reset-Server
        Set-Machine $Code
        $written = Invoke-Example $Code
        $written.Errors.Count | Should -Be $Refused -Because "$($written.Errors)"
        $written.State | Should -Be 'Completed'

        Set-Machine
        $null = $seen.Add("$Source, $Title")
        $Output = $written.Output
        if ($check = $expected["$Source, $Title"]) { & $check | Should -BeTrue -Because "it wrote: $($Output | Out-String)" }
    }
}

Describe '<Source>, <Title>, which takes Windows' -ForEach $elsewhere {
    It 'has no syntax error' {
        $errors = $null
        $null = [Management.Automation.Language.Parser]::ParseInput($Code, [ref]$null, [ref]$errors)
        $errors | Should -BeNullOrEmpty
    }
}

Describe 'The examples together' -ForEach $count {
    It 'are three or more for each cmdlet, and nearly all of them run here' {
        $Here | Should -BeGreaterOrEqual (3 * $Cmdlets)
        $Elsewhere | Should -BeLessOrEqual 2
    }

    It 'are those whose outcome this file knows' {
        $expected.Keys | Where-Object { -not $seen.Contains($_) } | Should -BeNullOrEmpty
    }
}
