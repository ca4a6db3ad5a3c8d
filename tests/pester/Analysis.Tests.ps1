BeforeAll {
    . $PSScriptRoot/Common.ps1
}

Describe 'PSScriptAnalyzer, with the settings of the Gallery' {
    It 'has nothing to say about <_>' -ForEach 'out/FleetLock', 'build.ps1', 'docs/ConvertTo-Help.ps1' {
        $module = Get-Module -ListAvailable PSScriptAnalyzer | Sort-Object Version -Descending | Select-Object -First 1
        if (-not $module) { Set-ItResult -Skipped -Because 'the module PSScriptAnalyzer is not installed' }
        $settings = Get-ChildItem $module.ModuleBase -Recurse -Filter PSGallery.psd1 | Select-Object -First 1
        $found = Invoke-ScriptAnalyzer (Join-Path $RepositoryRoot $_) -Settings $settings.FullName -Recurse -Severity Warning
        $found | ForEach-Object { "$($_.ScriptName) $($_.Line): $($_.RuleName): $($_.Message)" } | Should -BeNullOrEmpty
    }
}
