# Holds the pages to the product: links lead somewhere, and every option, cmdlet, parameter and metric that they name is there.

BeforeDiscovery {
    . $PSScriptRoot/Markdown.ps1
    $pages = Get-Page (Split-Path (Split-Path $PSScriptRoot)) | ForEach-Object { @{ Page = $_ } }
}

BeforeAll {
    . $PSScriptRoot/Common.ps1
    . $PSScriptRoot/Markdown.ps1

    # GitHub's anchors: lower case, no punctuation, hyphens for spaces.
    function Get-Anchor {
        param([string] $Path)

        Get-Content $Path | Where-Object { $_ -match '^#+ ' } | ForEach-Object { ($_ -replace '^#+ ').ToLowerInvariant() -replace '[^\w\- ]' -replace ' ', '-' }
    }

    function Get-ProgramHelp {
        param([string[]] $Command)

        dotnet (Join-Path $RepositoryRoot 'out/fleetlockctl/fleetlockctl.dll') @Command --help | Out-String
    }

    $rootHelp = Get-ProgramHelp
    $options = @{}
    foreach ($line in ($rootHelp -split '(?m)^Commands:\s*$')[1] -split "`n") {
        if ($line -match '^  (?<name>[a-z-]+)') {
            $name = $Matches.name
            $options[$name] = [regex]::Matches((Get-ProgramHelp $name), '(?<![\w-])--?[a-z][a-z-]*').Value | Sort-Object -Unique
        }
    }
    $cmdlets = Get-Command -Module FleetLock
    $parameters = @($cmdlets.Parameters.Values | ForEach-Object { $_.Name; $_.Aliases }) | Sort-Object -Unique

    $server = Start-TestServer
    $null = Lock-FleetGroup -Id n1 -Uri $server.Uri
    $metrics = [regex]::Matches((Invoke-RestMethod "$($server.Uri)/metrics"), '(?m)^# TYPE (\w+)') | ForEach-Object { $_.Groups[1].Value }

    # A command line of fleetlockctl: the command, and its options up to "--".
    function Get-UnknownOption {
        param([string] $Line)

        $words = ($Line -split '\s--(\s|$)')[0] -replace "'[^']*'|`"[^`"]*`"", 'QUOTED' -split '[\s\[\](|)]+' -ne ''
        $command = $words | Where-Object { $options.Contains($_) } | Select-Object -First 1
        $known = if ($command) { $options[$command] } else { $options.Values | ForEach-Object { $_ } }
        $words | Where-Object { $_ -cmatch '^--?[a-z][a-z-]*' } | ForEach-Object { $_ -replace '=.*' -replace '[.,;:…]+$' } | Where-Object { $_ -cnotin $known } | ForEach-Object { "$command $_" }
    }

    # PowerShell, whole or in part: its cmdlets of this module, and their parameters.
    function Get-UnknownParameter {
        param([string] $Text)

        $tree = [Management.Automation.Language.Parser]::ParseInput($Text, [ref]$null, [ref]$null)
        foreach ($command in $tree.FindAll({ $args[0] -is [Management.Automation.Language.CommandAst] }, $true)) {
            $name = $command.GetCommandName()
            if ($name -notmatch '^[A-Z][a-z]+-Fleet\w*$') { continue }
            $cmdlet = $cmdlets | Where-Object Name -EQ $name
            if (-not $cmdlet) {
                if (-not $Text.Contains("function $name")) { "$name" }
                continue
            }
            foreach ($parameter in $command.CommandElements | Where-Object { $_ -is [Management.Automation.Language.CommandParameterAst] }) {
                $names = @($cmdlet.Parameters.Keys) + @($cmdlet.Parameters.Values.Aliases)
                if ($parameter.ParameterName -notin $names) { "$name -$($parameter.ParameterName)" }
            }
        }
    }
}

AfterAll {
    Stop-TestServer $server
}

Describe '<Page>' -ForEach $pages {
    BeforeAll {
        $path = Join-Path $RepositoryRoot $Page
        $blocks = @(Get-CodeBlock $path)
        $spans = @(Get-CodeSpan $path)
    }

    It 'has links that lead somewhere' {
        $text = [IO.File]::ReadAllText($path) -replace '(?ms)^ *```.*?^ *```$' -replace '`[^`\n]+`', 'code'
        $broken = foreach ($link in [regex]::Matches($text, '\]\(([^)\s]+)\)')) {
            $target, $anchor = $link.Groups[1].Value -split '#', 2
            if ($target -match '^[a-z]+:') { continue }
            $file = if ($target) { Join-Path (Split-Path $path) $target } else { $path }
            if (-not (Test-Path $file) -or ($anchor -and $anchor -cnotin (Get-Anchor $file))) { $link.Value }
        }
        $broken | Should -BeNullOrEmpty
    }

    It 'names no option of fleetlockctl that there is not' {
        # Indented blocks have no language; a line that goes on has a backslash.
        $lines = @([IO.File]::ReadAllText($path) -replace '\\\n\s*', ' ' -split "`n" -match '^[ \w:=<!-]*fleetlockctl [a-z-]+') + @($spans -match '^fleetlockctl ')
        $unknown = @($lines | ForEach-Object { Get-UnknownOption ($_ -replace '^.*?fleetlockctl ' -replace ' -->$' -replace '  +# .*$') })
        $unknown += @($spans -cmatch '^--[a-z][a-z-]+( [A-Z=:|]+)?$' | ForEach-Object { Get-UnknownOption $_ })
        $unknown | Should -BeNullOrEmpty
    }

    It 'names no cmdlet and no parameter that there is not' {
        $unknown = @($blocks | Where-Object Language -EQ powershell | ForEach-Object { Get-UnknownParameter $_.Text })
        $unknown += @($spans | ForEach-Object { Get-UnknownParameter $_ })
        $unknown += @($spans -cmatch '^-[A-Z][A-Za-z]+$' | Where-Object { $_.TrimStart('-') -notin $parameters })
        $unknown | Should -BeNullOrEmpty
    }
    It 'names no metric that there is not' {
        [regex]::Matches([IO.File]::ReadAllText($path), '\bfleetlock_[a-z_]+\b').Value | Where-Object { $_ -cnotin $metrics } | Should -BeNullOrEmpty
    }
}
