BeforeDiscovery {
    $analyzer = Get-Module -ListAvailable PSScriptAnalyzer | Sort-Object Version -Descending | Select-Object -First 1
}

BeforeAll {
    . $PSScriptRoot/Common.ps1
}

Describe 'PSScriptAnalyzer, with the settings of the Gallery' {
    It 'has nothing to say about <_>' -Skip:(-not $analyzer) -ForEach 'out/FleetLock', 'build.ps1', 'docs/ConvertTo-Help.ps1' {
        $module = Get-Module -ListAvailable PSScriptAnalyzer | Sort-Object Version -Descending | Select-Object -First 1
        $settings = Get-ChildItem $module.ModuleBase -Recurse -Filter PSGallery.psd1 | Select-Object -First 1
        $found = Invoke-ScriptAnalyzer (Join-Path $RepositoryRoot $_) -Settings $settings.FullName -Recurse -Severity Warning
        $found | ForEach-Object { "$($_.ScriptName) $($_.Line): $($_.RuleName): $($_.Message)" } | Should -BeNullOrEmpty
    }
}
