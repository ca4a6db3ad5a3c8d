<#
.SYNOPSIS
    Makes what Get-Help reads from the markdown of docs/en-US: MAML for the cmdlets, text for the topics. `./build.ps1 -Task Help` calls it.
.DESCRIPTION
    What it makes is kept beside the markdown, so that nothing needs PowerShell to build. A test holds the two together.
#>
[CmdletBinding()]
param(
    # Where to leave the files.
    [string] $OutputFolder = (Join-Path $PSScriptRoot 'en-US')
)

$ErrorActionPreference = 'Stop'

# Another version may lay out other bytes.
Import-Module Microsoft.PowerShell.PlatyPS -RequiredVersion 1.0.3

$source = Join-Path $PSScriptRoot 'en-US'
$width = 80

function Format-Block {
    param([string] $Text, [string] $First, [string] $Rest)

    $line = $First
    $isEmpty = $true
    foreach ($word in $Text -replace '`|\*\*' -split '\s+') {
        if (-not $isEmpty -and $line.Length + 1 + $word.Length -gt $width) {
            $line
            $line = $Rest
            $isEmpty = $true
        }
        $line += if ($isEmpty) { $word } else { " $word" }
        $isEmpty = $false
    }
    $line
}

# The help system of Windows PowerShell goes by these lines: the topic's name is on the second, its synopsis on the fifth.
function ConvertTo-Topic {
    param([string] $Markdown)

    foreach ($block in $Markdown.Trim() -split '\n\n+') {
        if ($block -match '^# (.+)') { 'TOPIC', "    $($Matches[1])", ''; continue }
        if ($block -match '^## (.+)') { $Matches[1]; continue }
        if ($block -match '^    ') {
            $block -split '\n' | ForEach-Object { "    $_".TrimEnd() }
        }
        elseif ($block -match '^(- |\d+\. )') {
            foreach ($item in $block -split '\n(?=- |\d+\. )') {
                $null = $item -match '^(- |\d+\. )'
                $mark = $Matches[1]
                Format-Block $item.Substring($mark.Length) "    $mark" (' ' * (4 + $mark.Length))
            }
        }
        else { Format-Block $block '    ' '    ' }
        ''
    }
}

$utf8 = [Text.UTF8Encoding]::new($false)
$null = New-Item $OutputFolder -ItemType Directory -Force
$OutputFolder = (Resolve-Path $OutputFolder).Path

foreach ($file in Get-ChildItem $source -Filter about_*.md) {
    $text = (ConvertTo-Topic ([IO.File]::ReadAllText($file.FullName) -replace '\r')) -join "`n"
    [IO.File]::WriteAllText((Join-Path $OutputFolder "$($file.BaseName).help.txt"), $text.TrimEnd() + "`n", $utf8)
}

# PlatyPS leaves markdown in the text, the code of an example in its introduction, and every default out.
function ConvertTo-PlainHelp {
    param([xml] $Maml, [Microsoft.PowerShell.PlatyPS.Model.CommandHelp[]] $Page)

    $prefix = [Xml.XmlNamespaceManager]::new($Maml.NameTable)
    foreach ($name in 'maml', 'command', 'dev') { $prefix.AddNamespace($name, $Maml.DocumentElement.GetAttribute("xmlns:$name")) }
    function Add-Element {
        param($Parent, [string] $Name, [string] $Text)

        $element = $Maml.CreateElement($Name, $prefix.LookupNamespace(($Name -split ':')[0]))
        $element.InnerText = $Text
        $null = $Parent.AppendChild($element)
    }

    foreach ($example in $Maml.SelectNodes('//command:example', $prefix)) {
        $introduction = $example.SelectSingleNode('maml:introduction', $prefix)
        $said = @($introduction.ChildNodes.InnerText) -join "`n`n" -replace '\n[\s\u0080]*\n', "`n`n"
        if ($said -notmatch '(?s)^```powershell\n(?<Code>.*?)\n```[\s\u0080]*(?<Remarks>.*)$') { throw "An example is not of the form code, text: $said" }
        $introduction.InnerText = ''
        $example.SelectSingleNode('dev:code', $prefix).InnerText = $Matches.Code
        $remarks = $example.SelectSingleNode('dev:remarks', $prefix)
        Add-Element $remarks 'maml:para' $Matches.Remarks
        Add-Element $remarks 'maml:para'
    }

    # A paragraph is one line for the console to break, and nothing of the markdown is left in it.
    foreach ($paragraph in @($Maml.SelectNodes('//maml:para', $prefix))) {
        $parent = $paragraph.ParentNode
        foreach ($text in $paragraph.InnerText -split '\n\s*\n') {
            Add-Element $parent 'maml:para' ($text -replace '`|\*\*' -replace '[\s\u0080]+', ' ').Trim()
        }
        $null = $parent.RemoveChild($paragraph)
    }

    foreach ($parameter in $Maml.SelectNodes('//command:parameter', $prefix)) {
        foreach ($type in $parameter.SelectNodes('command:parameterValue|dev:type/maml:name', $prefix)) { $type.InnerText = $type.InnerText -replace '^System\.Nullable`1\[(.+)\]$', '$1' }
        $command = $parameter.SelectSingleNode('ancestor::command:command/command:details/command:name', $prefix).InnerText
        $name = $parameter.SelectSingleNode('maml:name', $prefix).InnerText
        $described = ($Page | Where-Object Title -EQ $command).Parameters | Where-Object Name -EQ $name
        if ($described.DefaultValue) { Add-Element $parameter 'dev:defaultValue' $described.DefaultValue }

        # Of the whole command: what one of its parameter sets can do without is not required.
        if ($parameter.ParentNode.LocalName -eq 'parameters') { $parameter.SetAttribute('required', "$($false -notin $described.ParameterSets.IsRequired)".ToLowerInvariant()) }
    }

    # The name of another page is a link by itself.
    foreach ($link in $Maml.SelectNodes('//maml:navigationLink/maml:uri', $prefix)) { $link.InnerText = $link.InnerText -replace '^[\w-]+\.md$' }
}

$made = Join-Path ([IO.Path]::GetTempPath()) ([guid]::NewGuid())
try {
    $pages = Get-ChildItem $source -Filter *-*.md | Sort-Object Name | Import-MarkdownCommandHelp
    $maml = [xml]([IO.File]::ReadAllText(@($pages | Export-MamlCommandHelp -OutputFolder $made)[0].FullName) -replace '\r')
    ConvertTo-PlainHelp $maml $pages
    $text = [IO.StringWriter]::new()
    $writer = [Xml.XmlWriter]::Create($text, [Xml.XmlWriterSettings]@{ Indent = $true; NewLineChars = "`n"; OmitXmlDeclaration = $true })
    $maml.DocumentElement.WriteTo($writer)
    $writer.Flush()
    [IO.File]::WriteAllText((Join-Path $OutputFolder 'FleetLock.PowerShell.dll-Help.xml'), "<?xml version=`"1.0`" encoding=`"utf-8`"?>`n$text`n", $utf8)
}
finally {
    if (Test-Path $made) { Remove-Item $made -Recurse -Force }
}
