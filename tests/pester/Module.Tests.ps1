BeforeDiscovery {
    $commands = 'Get-FleetGroup', 'Get-FleetLockConfiguration', 'Get-FleetNodeId', 'Invoke-FleetLock', 'Lock-FleetGroup', 'Set-FleetGroup', 'Start-FleetLockServer', 'Stop-FleetLockServer', 'Test-FleetLock', 'Unlock-FleetGroup'
}

BeforeAll {
    . $PSScriptRoot/Common.ps1
    $folder = Split-Path $ModulePath
}

Describe 'The module' {
    It 'has a valid manifest' {
        (Test-ModuleManifest $ModulePath).Name | Should -Be 'FleetLock'
    }

    It 'exports these cmdlets and nothing else' {
        $module = Get-Module FleetLock
        $module.ExportedCommands.Keys | Sort-Object | Should -Be @('Get-FleetGroup', 'Get-FleetLockConfiguration', 'Get-FleetNodeId', 'Invoke-FleetLock', 'Lock-FleetGroup', 'Set-FleetGroup', 'Start-FleetLockServer', 'Stop-FleetLockServer', 'Test-FleetLock', 'Unlock-FleetGroup')
        $module.ExportedCmdlets.Count | Should -Be $module.ExportedCommands.Count
        $module.ExportedVariables.Count + $module.ExportedAliases.Count + $module.ExportedFunctions.Count | Should -Be 0
    }

    It 'ships for PowerShell 7 its own two assemblies and no third-party one' {
        (Get-ChildItem "$folder/net8.0").Name | Sort-Object | Should -Be @('FleetLock.Core.dll', 'FleetLock.PowerShell.dll')
    }

    It 'ships no reference assembly of the engine' {
        Get-ChildItem $folder -Recurse -Filter System.Management.Automation.dll | Should -BeNullOrEmpty
    }

    It 'chooses the folder of this edition' {
        $expected = if ($PSEdition -eq 'Core') { 'net8.0' } else { 'net472' }
        Split-Path (Split-Path (Get-Command Lock-FleetGroup).DLL) -Leaf | Should -Be $expected
    }

    It 'has the fields that the Gallery wants' {
        $manifest = Test-ModuleManifest $ModulePath
        $manifest.Author, $manifest.Description, $manifest.ProjectUri, $manifest.LicenseUri, $manifest.ReleaseNotes | Should -Not -BeNullOrEmpty
        $manifest.CompatiblePSEditions | Should -Be @('Core', 'Desktop')
        $manifest.Tags | Should -Contain 'PSEdition_Core'
    }

    It 'imports into an empty engine without a word' {
        $shell = [powershell]::Create()
        $shell.AddScript("Import-Module '$ModulePath'").Invoke() | Should -BeNullOrEmpty
        $shell.Streams.Error.Count + $shell.Streams.Warning.Count | Should -Be 0
        $shell.Dispose()
    }
}

Describe '<_>, which talks to a server' -ForEach ($commands | Where-Object { $_ -notin 'Get-FleetLockConfiguration', 'Get-FleetNodeId', 'Start-FleetLockServer', 'Stop-FleetLockServer' }) {
    It 'spells its parameters as every other does' {
        $command = Get-Command $_
        $shared = @(if ($_ -notin 'Get-FleetGroup', 'Set-FleetGroup') { 'Id' }) + 'Uri', 'Group', 'Token', 'Credential', 'Certificate', 'CertificatePath', 'CaCertificatePath', 'SkipCertificateCheck', 'Proxy', 'NoProxy', 'Header', 'TimeoutSec'
        $shared | Where-Object { -not $command.Parameters.ContainsKey($_) } | Should -BeNullOrEmpty
        $command.Parameters.Uri.ParameterType | Should -Be ([string])
    }
}
