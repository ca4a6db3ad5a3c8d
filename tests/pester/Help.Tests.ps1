# The help and the cmdlets, held together: what Get-Help shows, the markdown that it is made from, and the cmdlets themselves.

BeforeDiscovery {
    $root = Split-Path (Split-Path $PSScriptRoot)
    $commands = [regex]::Match((Get-Content "$root/FleetLock.psd1" -Raw), 'CmdletsToExport\s*=\s*@\(([^)]*)\)').Groups[1].Value -split '[\s,'']+' -ne ''
    $topics = (Get-ChildItem "$root/docs/en-US/about_*.md").BaseName
}

BeforeAll {
    . $PSScriptRoot/Common.ps1
    $source = Join-Path $RepositoryRoot 'docs/en-US'
    $common = [Management.Automation.Cmdlet]::CommonParameters

    # The part of a page under a heading, up to the next one of the same level or above.
    function Get-Section {
        param([string] $Page, [string] $Heading)

        $level = ($Heading -split ' ')[0].Length
        [regex]::Match($Page, "(?ms)^$([regex]::Escape($Heading))\s*?\n(.*?)(?=^#{1,$level} |\z)").Groups[1].Value.Trim()
    }

    # What a page says of each parameter, in PlatyPS' own few lines.
    function Get-Described {
        param([string] $Page)

        foreach ($match in [regex]::Matches((Get-Section $Page '## PARAMETERS'), '(?s)(?:^|\n)### -(\w+)\n+(.*?)\n+```yaml\n(.*?)\n```')) {
            $text, $yaml = $match.Groups[2].Value, $match.Groups[3].Value
            [pscustomobject]@{
                Name              = $match.Groups[1].Value
                Text              = $text
                Type              = [regex]::Match($yaml, '(?m)^Type: (.*)$').Groups[1].Value
                DefaultValue      = [regex]::Match($yaml, '(?m)^DefaultValue: (.*)$').Groups[1].Value -replace "^'(.*)'$", '$1' -replace "''", "'"
                SupportsWildcards = [regex]::Match($yaml, '(?m)^SupportsWildcards: (.*)$').Groups[1].Value -eq 'true'
                Aliases           = @([regex]::Matches([regex]::Match($yaml, '(?ms)^Aliases:(.*?)^ParameterSets:').Groups[1].Value, '(?m)^- (.*)$') | ForEach-Object { $_.Groups[1].Value })
                Sets              = @(foreach ($set in [regex]::Matches($yaml, '(?ms)^- Name: (\S+)\n(.*?)(?=^- Name|^DontShow)')) {
                        $said = $set.Groups[2].Value
                        "$($set.Groups[1].Value): " + (('Position', 'IsRequired', 'ValueFromPipeline', 'ValueFromPipelineByPropertyName' | ForEach-Object { "$_ $([regex]::Match($said, "(?m)^  ${_}: (.*)$").Groups[1].Value)" }) -join ', ')
                    }) | Sort-Object
            }
        }
    }

    # The same of a cmdlet, from the engine.
    function Get-Actual {
        param($Command)

        $bound = $Command.ParameterSets
        foreach ($parameter in $Command.Parameters.Values | Where-Object Name -NotIn $common) {
            [pscustomobject]@{
                Name              = $parameter.Name
                Type              = $parameter.ParameterType.ToString()
                SupportsWildcards = [bool]($parameter.Attributes | Where-Object { $_ -is [SupportsWildcards] })
                Aliases           = @($parameter.Aliases)
                Sets              = @(foreach ($name in $parameter.ParameterSets.Keys) {
                        $set = $parameter.ParameterSets[$name]
                        $shown = if ($name -eq '__AllParameterSets') { '(All)' } else { $name }
                        $position = if ($set.Position -lt 0) { 'Named' } else { $set.Position }
                        "${shown}: Position $position, IsRequired $($set.IsMandatory), ValueFromPipeline $($set.ValueFromPipeline), ValueFromPipelineByPropertyName $($set.ValueFromPipelineByPropertyName)".ToLowerInvariant()
                    }) | Sort-Object
            }
        }
    }
}

Describe 'The help of <_>' -ForEach $commands {
    BeforeAll {
        $command = Get-Command $_
        $help = Get-Help $_ -Full
        $page = Get-Content "$source/$_.md" -Raw
        $described = @(Get-Described $page)
        $actual = @(Get-Actual $command)
    }

    It 'says in a sentence what it does' {
        $help.Synopsis.Trim() | Should -Match '^[A-Z].{10,100}\.$'
        $help.Synopsis | Should -Not -Match '\[<CommonParameters>\]'
        ($help.description.Text -join ' ').Length | Should -BeGreaterThan 100
    }

    It 'has every parameter and none too many' {
        $described.Name | Sort-Object | Should -Be ($actual.Name | Sort-Object)
        $help.parameters.parameter.name | Sort-Object | Should -Be ($actual.Name | Sort-Object)
        $page | Should -Not -Match '### -ProgressAction'
    }

    It 'has their types, aliases, positions, and what is mandatory or from the pipeline' {
        foreach ($parameter in $actual) {
            $said = $described | Where-Object Name -EQ $parameter.Name
            $said.Type | Should -Be $parameter.Type -Because $parameter.Name
            $said.Aliases | Sort-Object | Should -Be ($parameter.Aliases | Sort-Object) -Because $parameter.Name
            $said.SupportsWildcards | Should -Be $parameter.SupportsWildcards -Because $parameter.Name
            $said.Sets | Should -Be $parameter.Sets -Because $parameter.Name
        }
    }

    It 'has a text and a default for each' {
        $instance = [Activator]::CreateInstance($command.ImplementingType)
        foreach ($parameter in $described | Where-Object Name -NotIn 'WhatIf', 'Confirm') {
            $parameter.Text | Should -Match '^[A-Z](?s:.*)\.$' -Because $parameter.Name
            if ($parameter.Sets -match 'IsRequired true') { continue }
            $parameter.DefaultValue | Should -Not -BeNullOrEmpty -Because $parameter.Name
            $value = $instance.($parameter.Name)
            if ($value -is [int] -or $value -is [switch]) { $parameter.DefaultValue | Should -Be "$value" -Because $parameter.Name }
        }
        $instance.Dispose()
    }

    It 'names the unit of every time' {
        foreach ($parameter in $described | Where-Object Name -Like '*Sec') { $parameter.Text | Should -Match 'in seconds' -Because $parameter.Name }
    }

    It 'shows each parameter set' {
        $help.syntax.syntaxItem.Count | Should -Be $command.ParameterSets.Count
        [regex]::Matches((Get-Section $page '## SYNTAX'), "(?m)^$_\b").Count | Should -Be $command.ParameterSets.Count
    }

    It 'says what goes in and what comes out' {
        $inputs = [regex]::Matches((Get-Section $page '## INPUTS'), '(?m)^### (.+)$') | ForEach-Object { $_.Groups[1].Value }
        $outputs = [regex]::Matches((Get-Section $page '## OUTPUTS'), '(?m)^### (.+)$') | ForEach-Object { $_.Groups[1].Value }
        $inputs | Should -Not -BeNullOrEmpty
        @($command.OutputType.Name) -ne 'System.Void' | Where-Object { $_ -notin $outputs } | Should -BeNullOrEmpty
        @($outputs) -ne 'None' | Where-Object { $_ -notin $command.OutputType.Name } | Should -BeNullOrEmpty
        @($help.returnValues.returnValue.type.name.Trim()) | Should -Be @($outputs)
        @($help.inputTypes.inputType.type.name.Trim()) | Should -Be @($inputs)
    }

    It 'has three examples or more, each with a title, and a sentence after it' {
        $titles = [regex]::Matches($page, '(?m)^### Example (\d+): (\S.+)$')
        $titles.Count | Should -BeGreaterOrEqual 3
        @($titles | ForEach-Object { [int]$_.Groups[1].Value }) | Should -Be @(1..$titles.Count)
        [regex]::Matches($page, '(?m)^```powershell\n(?s:.+?)\n```\n\n[A-Z`].*\.$').Count | Should -Be $titles.Count
        @($help.examples.example.title) | ForEach-Object { $_.Trim('-', ' ') } | Should -Be @($titles | ForEach-Object { $_.Value -replace '^### ' })
        @($help.examples.example.code) | Should -Be @([regex]::Matches($page, '(?s)```powershell\n(.+?)\n```') | ForEach-Object { $_.Groups[1].Value })
    }

    It 'is read the same from a parameter''s own help' {
        foreach ($parameter in $described) {
            $shown = Get-Help $command.Name -Parameter $parameter.Name
            $shown.name | Should -Be $parameter.Name
            "$($shown.defaultValue)" | Should -Be $parameter.DefaultValue -Because $parameter.Name
            ($shown.description.Text -join ' ') -replace '\W' | Should -Be ($parameter.Text -replace '\W') -Because $parameter.Name
        }
    }

    It 'leads to pages that there are' {
        $links = [regex]::Matches((Get-Section $page '## RELATED LINKS'), '\]\((.+?)\)') | ForEach-Object { $_.Groups[1].Value }
        $links | Should -Not -BeNullOrEmpty
        foreach ($link in $links -notmatch '^https:') { Join-Path $source $link | Should -Exist }
    }

    It 'has one sentence a line' {
        $text = $page -replace '(?s)```.*?```' -replace '(?s)### CommonParameters.*?(?=\n## )'
        [regex]::Matches($text, '(?m)^.*[a-z`)]\. [A-Z].*$') | ForEach-Object Value | Should -BeNullOrEmpty
    }
}

Describe 'The topic <_>' -ForEach $topics {
    BeforeAll {
        $lines = Get-Content (Join-Path (Split-Path $ModulePath) "en-US/$_.help.txt")
    }

    It 'begins as Windows PowerShell wants it' {
        $lines[0, 2, 3, 5, 6] | Should -Be @('TOPIC', '', 'SHORT DESCRIPTION', '', 'LONG DESCRIPTION')
        $lines[1] | Should -Be "    $_"
        $lines[4] | Should -Match '^    [A-Z].+\.$'
    }

    It 'has one sentence a line' {
        $text = (Get-Content "$source/$_.md" -Raw) -replace '(?m)^    .*$'
        [regex]::Matches($text, '(?m)^.*[a-z`)]\. [A-Z].*$') | ForEach-Object Value | Should -BeNullOrEmpty
    }

    It 'is found by its name' {
        Get-Help $_ | Should -Match ([regex]::Escape($lines[4].Trim()))
    }

    It 'fits a small console, of any code page' {
        $lines | Where-Object Length -GT 80 | Should -BeNullOrEmpty
        $lines -match '[^\x20-\x7e]' | Should -BeNullOrEmpty
    }

    It 'leads to cmdlets and topics that there are' {
        $named = (($lines -join "`n") -split 'SEE ALSO')[1] -split '\n' | Where-Object { $_.Trim() } | ForEach-Object { $_.Trim(' ', '-') }
        foreach ($name in $named) { @(Get-Help $name).Count | Should -Be 1 -Because $name }
    }
}

Describe 'about_FleetLock' {
    BeforeAll {
        $topic = Get-Content "$source/about_FleetLock.md" -Raw
    }

    It 'has every error id of the module, and none that it does not have' {
        $ids = [regex]::Matches((Get-Content "$RepositoryRoot/src/FleetLock.PowerShell/ErrorRecords.cs" -Raw), '"(Fleet[A-Z]\w+)"') | ForEach-Object { $_.Groups[1].Value } | Sort-Object -Unique
        $said = [regex]::Matches((Get-Section $topic '## ERRORS'), '(?m)^- `(Fleet\w+)`') | ForEach-Object { $_.Groups[1].Value } | Sort-Object
        $said | Should -Be $ids
    }

    It 'has every exit code of the command line' {
        $codes = [regex]::Matches((Get-Content "$RepositoryRoot/src/FleetLock.Cli/ExitCodes.cs" -Raw), 'const int \w+ = (\d+);') | ForEach-Object { $_.Groups[1].Value }
        $said = [regex]::Matches((Get-Section $topic '## EXIT CODES'), '(?m)^- ([\d, ]+):') | ForEach-Object { $_.Groups[1].Value -split ', ' }
        $said | Should -Be $codes
    }

    It 'has every setting' {
        $said = [regex]::Matches((Get-Section $topic '## SETTINGS'), '(?m)^- `FLEETLOCK_(\w+)`') | ForEach-Object { $_.Groups[1].Value -replace '_' }
        [enum]::GetNames([FleetLock.SettingName]) | Where-Object { $_ -notin $said } | Should -BeNullOrEmpty
    }
}

Describe 'The files of the help' {
    It 'are one page for each cmdlet, and one for each topic' {
        (Get-ChildItem $source -Filter *.md).BaseName | Sort-Object | Should -Be (@((Get-Module FleetLock).ExportedCmdlets.Keys) + (Get-ChildItem $source -Filter about_*.md).BaseName | Sort-Object)
    }

    It 'are in the module as they are in the repository' {
        $shipped = Get-ChildItem (Join-Path (Split-Path $ModulePath) 'en-US')
        $shipped.Name | Sort-Object | Should -Be ((Get-ChildItem $source -Exclude *.md).Name | Sort-Object)
        foreach ($file in $shipped) { (Get-FileHash $file).Hash | Should -Be (Get-FileHash "$source/$($file.Name)").Hash }
    }

    It 'are what the markdown makes: build.ps1 -Task Help' {
        $platyPS = Get-Module -ListAvailable Microsoft.PowerShell.PlatyPS | Where-Object Version -EQ '1.0.3'
        if (-not $platyPS) { Set-ItResult -Skipped -Because 'the module Microsoft.PowerShell.PlatyPS 1.0.3 is not installed' }
        & (Join-Path $RepositoryRoot 'docs/ConvertTo-Help.ps1') -OutputFolder "$TestDrive/made"
        $made = Get-ChildItem "$TestDrive/made"
        $made.Name | Sort-Object | Should -Be ((Get-ChildItem $source -Exclude *.md).Name | Sort-Object)
        foreach ($file in $made) { (Get-FileHash $file).Hash | Should -Be (Get-FileHash "$source/$($file.Name)").Hash -Because "$($file.Name) is to be made anew" }
    }
}
