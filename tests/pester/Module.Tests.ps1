BeforeDiscovery {
    $commands = 'Get-FleetGroup', 'Get-FleetLockConfiguration', 'Get-FleetNodeId', 'Invoke-FleetLock', 'Lock-FleetGroup', 'Set-FleetGroup', 'Start-FleetLockServer', 'Stop-FleetLockServer', 'Test-FleetLock', 'Unlock-FleetGroup'
}

BeforeAll {
    . $PSScriptRoot/Common.ps1
    $commands = (Import-PowerShellDataFile $ModulePath).CmdletsToExport
    $folder = Split-Path $ModulePath
}

Describe 'The module' {
    It 'has a valid manifest' {
        (Test-ModuleManifest $ModulePath).Name | Should -Be 'FleetLock'
    }

    It 'exports these cmdlets and nothing else' {
        $module = Get-Module FleetLock
        $module.ExportedCommands.Keys | Sort-Object | Should -Be @('Confirm-FleetStoreRestore', 'Get-FleetGroup', 'Get-FleetLockConfiguration', 'Get-FleetNodeId', 'Invoke-FleetLock', 'Lock-FleetGroup', 'Set-FleetGroup', 'Start-FleetLockServer', 'Stop-FleetLockServer', 'Test-FleetLock', 'Unlock-FleetGroup')
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

    It 'reports FleetLock as the source of its cmdlets, and where it was imported from' {
        $module = Get-Module FleetLock
        $module.Path | Should -Be (Join-Path $folder FleetLock.psm1)
        $module.ModuleBase | Should -Be $folder
        $module.Version | Should -Be (Test-ModuleManifest $ModulePath).Version
        (Get-Command -Module FleetLock).Source | Sort-Object -Unique | Should -Be 'FleetLock'
    }

    It 'is imported by the use of a cmdlet, again with -Force, twice, and leaves nothing when it is removed' {
        $written = Invoke-Engine -Command "
            `$env:PSModulePath = '$(Split-Path $folder)' + [IO.Path]::PathSeparator + `$env:PSModulePath
            Get-FleetNodeId dfd7882acda64c34aca76193c46f5d4e
            foreach (`$i in 1, 2) {
                Import-Module FleetLock -Force
                (Get-Command -Module FleetLock).Count
                Get-FleetNodeId dfd7882acda64c34aca76193c46f5d4e
            }
            Remove-Module FleetLock
            @((Get-Module -All).Name) -like 'FleetLock*'
            `$env:PSModulePath = ''
            (Get-Command Get-FleetNodeId -ErrorAction Ignore).Name"
        $id, $count = '35ba2101ae3f4d45b96e9c51f461bbff', $commands.Count
        $written | Should -Be @($id, $count, $id, $count, $id)
    }
}

Describe 'The manifest and the root module' {
    BeforeEach {
        $copy = Join-Path $TestDrive "$(New-Guid)/FleetLock"
        Copy-Item $folder $copy -Recurse
        $manifest = Join-Path $copy 'FleetLock.psd1'
    }

    It 'are plain data, and still serve both editions when <_> rewrites them' -ForEach 'Update-ModuleManifest', 'Update-PSModuleManifest' {
        $before = Import-PowerShellDataFile $manifest
        & $_ $manifest -ModuleVersion 99.0.0
        $after = Import-PowerShellDataFile $manifest
        $after.ModuleVersion | Should -Be '99.0.0'
        foreach ($name in @($before.Keys) -notmatch '^(ModuleVersion|PrivateData|VariablesToExport)$') {
            $after[$name] | Should -Be $before[$name] -Because $name
        }
        $counted = Invoke-Engine -Command "Import-Module '$manifest'; (Get-Module FleetLock).ForEach({ `$_.ExportedCommands.Count, `$_.ExportedVariables.Count })"
        $counted | Should -Be @($commands.Count, 0)
    }

    It 'import where the language is constrained' {
        $state = [initialsessionstate]::CreateDefault2()
        $state.LanguageMode = 'ConstrainedLanguage'
        $shell = [powershell]::Create($state)
        $written = $shell.AddScript("Import-Module '$ModulePath'; Get-FleetNodeId dfd7882acda64c34aca76193c46f5d4e").Invoke()
        $written | Should -Be '35ba2101ae3f4d45b96e9c51f461bbff'
        $shell.Streams.Error | Should -BeNullOrEmpty
        $shell.Dispose()
    }

    It 'import with the signatures that AllSigned expects at their end' {
        # An engine on Unix neither signs nor checks. That each file accepts a signature block can be seen everywhere.
        foreach ($file in Get-ChildItem $copy -File | Where-Object Extension -In '.psd1', '.psm1', '.ps1xml') {
            $lines = 'SIG # Begin signature block', [Convert]::ToBase64String([byte[]](1..48)), 'SIG # End signature block'
            $comment = if ($file.Extension -eq '.ps1xml') { '<!-- {0} -->' } else { '# {0}' }
            Add-Content $file (@('') + ($lines | ForEach-Object { $comment -f $_ }))
        }
        $written = Invoke-Engine -Command "Import-Module '$manifest' -ErrorAction Stop; Get-FleetNodeId dfd7882acda64c34aca76193c46f5d4e"
        $written | Should -Be '35ba2101ae3f4d45b96e9c51f461bbff'
    }

    It 'do not import without the assembly' {
        Remove-Item (Join-Path $copy '*/FleetLock.PowerShell.dll')
        Invoke-Engine -Command "try { Import-Module '$manifest' -ErrorAction Stop; 'imported' } catch { 'not imported' }" | Should -Be 'not imported'
    }
}

Describe '<_>, which talks to a server' -ForEach ($commands | Where-Object { $_ -notin 'Get-FleetLockConfiguration', 'Get-FleetNodeId', 'Start-FleetLockServer', 'Stop-FleetLockServer' }) {
    It 'spells its parameters as every other does' {
        $command = Get-Command $_
        $shared = @(if ($_ -notin 'Get-FleetGroup', 'Set-FleetGroup') { 'Id' }) + 'Uri', 'Group', 'Token', 'Credential', 'Certificate', 'CertificatePath', 'CaCertificatePath', 'SkipCertificateCheck', 'Proxy', 'NoProxy', 'Header', 'TimeoutSec'
        $shared | Where-Object { -not $command.Parameters.ContainsKey($_) } | Should -BeNullOrEmpty
        $command.Parameters.Uri.ParameterType | Should -Be ([string[]])
    }
}
