# PowerShell's own guidelines for cmdlets, where reflection can tell: RD required, SD strongly encouraged, AD advisory.

BeforeDiscovery {
    Import-Module (Join-Path (Split-Path (Split-Path $PSScriptRoot)) 'out/FleetLock/FleetLock.psd1')
    $commands = @(Get-Command -Module FleetLock | ForEach-Object { @{ Name = $_.Name; Command = $_; Type = $_.ImplementingType } })
}

BeforeAll {
    . $PSScriptRoot/Common.ps1

    # The parameters that are the cmdlet's own, by reflection: the engine adds its own to what Get-Command shows.
    function Get-OwnParameter {
        param([type] $Type)

        $Type.GetProperties() | Where-Object { $_.GetCustomAttributes([Management.Automation.ParameterAttribute], $true) }
    }
}

Describe '<Name> and the guidelines' -ForEach $commands {
    It 'has a verb of the engine''s constants, and a specific, singular noun of the product (RD01, SD01)' {
        $attribute = $Type.GetCustomAttributes([Management.Automation.CmdletAttribute], $false)[0]
        (Get-Verb).Verb | Should -Contain $attribute.VerbName
        $attribute.NounName | Should -MatchExactly '^Fleet([A-Z][a-z]+)+(?<!s)$'
    }

    It 'has names of letters only, in Pascal case, and no plural but a number (RD02, SD02, SD03)' {
        $names = (Get-OwnParameter $Type).Name
        foreach ($name in $names) { $name | Should -MatchExactly '^([A-Z][a-z]+)+$' }
        $names | Where-Object { $_ -match '[^s]s$' } | Where-Object { (Get-OwnParameter $Type | Where-Object Name -EQ $_).PropertyType -ne [int] } | Should -BeNullOrEmpty
    }

    It 'takes no name that the engine reserves (RD03)' {
        $reserved = [Management.Automation.Cmdlet]::CommonParameters + [Management.Automation.Cmdlet]::OptionalCommonParameters + 'UseTransaction', 'ProgressAction', 'Verbose', 'Debug', 'Confirm', 'WhatIf'
        (Get-OwnParameter $Type).Name | Where-Object { $_ -in $reserved } | Should -BeNullOrEmpty
        (Get-OwnParameter $Type).ForEach({ $_.GetCustomAttributes([Management.Automation.AliasAttribute], $true).AliasNames }) | Where-Object { $_ -in $reserved } | Should -BeNullOrEmpty
    }

    It 'asks before it changes something, at an impact that stops no unattended run (RD04)' {
        $attribute = $Type.GetCustomAttributes([Management.Automation.CmdletAttribute], $false)[0]
        $attribute.SupportsShouldProcess | Should -Be ($attribute.VerbName -notin 'Get', 'Test')
        if ($attribute.SupportsShouldProcess) { $attribute.ConfirmImpact | Should -Be 'Medium' }
    }

    It 'is a public, sealed VerbNounCommand in Commands, derives from PSCmdlet and takes its input record by record (RC01 to RC03, AC01)' {
        $Type.IsPublic -and $Type.IsSealed | Should -BeTrue
        [Management.Automation.PSCmdlet].IsAssignableFrom($Type) | Should -BeTrue
        $Type.FullName | Should -Be "FleetLock.PowerShell.Commands.$($Name -replace '-')Command"
        $Type.GetMethod('ProcessRecord', [Reflection.BindingFlags]'Instance, NonPublic').DeclaringType.Namespace | Should -BeLike 'FleetLock.PowerShell*'
    }

    It 'says what it writes (RC04), and a name for it that no other library has' {
        $types = $Type.GetCustomAttributes([Management.Automation.OutputTypeAttribute], $false).Type.Name
        $types | Should -Not -BeNullOrEmpty
        $types | Where-Object { $_ -notmatch '^(FleetLock\.|System\.(Void|String|Boolean|Object)$)' } | Should -BeNullOrEmpty
    }

    It 'is freed when the pipeline is stopped, and can be stopped (AC03, AC04)' {
        [IDisposable].IsAssignableFrom($Type) | Should -BeTrue
        $Type.GetMethod('StopProcessing', [Reflection.BindingFlags]'Instance, NonPublic').DeclaringType.Namespace | Should -BeLike 'FleetLock.PowerShell*'
    }

    It 'has a switch where there is a choice of two, and an array or one value, never a list of its own (SD03)' {
        foreach ($parameter in Get-OwnParameter $Type) {
            $kind = $parameter.PropertyType
            $kind | Should -Not -Be ([bool]) -Because $parameter.Name
            $kind.FullName | Should -Not -Match '^System\.Collections\.(Generic|ObjectModel)|ArrayList' -Because $parameter.Name
        }
    }

    It 'takes one thing from the pipeline in each parameter set, and the first set is the one for people (SD03, SC02)' {
        # The whole store is no item that comes one by one.
        $expected = [int]($Command.Name -ne 'Confirm-FleetStoreRestore')
        foreach ($set in $Command.ParameterSets) { @($set.Parameters | Where-Object ValueFromPipeline).Count | Should -Be $expected -Because $set.Name }
        if ($Command.ParameterSets.Count -gt 1) { $Command.DefaultParameterSet | Should -BeIn $Command.ParameterSets.Name }
    }

    It 'takes secrets in the engine''s own types (AD03, AC06)' {
        foreach ($parameter in Get-OwnParameter $Type) {
            if ($parameter.Name -match 'Token|Password|Secret') { $parameter.PropertyType | Should -Be ([securestring]) -Because $parameter.Name }
            if ($parameter.PropertyType -eq [pscredential]) { $parameter.GetCustomAttributes([Management.Automation.CredentialAttribute], $true) | Should -Not -BeNullOrEmpty }
        }
    }

    It 'says what unit a number is in (SD03)' {
        (Get-OwnParameter $Type).Name | Where-Object { $_ -match 'Timeout|Interval|Duration|Delay' -and $_ -notmatch 'Sec$' } | Should -BeNullOrEmpty
    }
}

Describe 'The parameters and the guidelines' {
    It 'are of one type wherever they have one name, but for one or many, and the groups that a server is started with (SD03)' {
        $kinds = foreach ($type in (Get-Command -Module FleetLock).ImplementingType) {
            foreach ($parameter in Get-OwnParameter $type) { [pscustomobject]@{ Name = $parameter.Name; Kind = $parameter.PropertyType.FullName -replace '\[\]$'; Cmdlet = $type.Name } }
        }
        $kinds | Where-Object { $_.Cmdlet -ne 'StartFleetLockServerCommand' -or $_.Name -ne 'Group' } | Group-Object Name | Where-Object { @($_.Group.Kind | Sort-Object -Unique).Count -gt 1 } | ForEach-Object Name | Should -BeNullOrEmpty
    }
}

Describe 'The manifest and the guidelines' {
    It 'names all that it exports, without wildcards (module authoring)' {
        $text = Get-Content $ModulePath -Raw
        foreach ($kind in 'Functions', 'Cmdlets', 'Variables', 'Aliases') { $text | Should -Match "(?m)^ +${kind}ToExport += @\(([^*)]*)\)`r?$" }
    }

    It 'needs no other module, and has three parts in its version (Gallery)' {
        (Test-ModuleManifest $ModulePath).RequiredModules | Should -BeNullOrEmpty
        (Test-ModuleManifest $ModulePath).Version | Should -Match '^\d+\.\d+\.\d+$'
        (Test-ModuleManifest $ModulePath).Tags | Where-Object { $_ -match '\s' } | Should -BeNullOrEmpty
        (Test-ModuleManifest $ModulePath).PowerShellVersion | Should -BeGreaterOrEqual ([version]'5.1')
    }
}
