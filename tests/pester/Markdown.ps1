# Dot-sourced where the documentation is looked at: what the pages have in them.

# The pages for people, with paths from the repository's root.
function Get-Page {
    param([string] $Root)

    @('README.md', 'CONTRIBUTING.md') + @(Get-ChildItem (Join-Path $Root 'docs') -Recurse -Filter *.md | ForEach-Object { [IO.Path]::GetRelativePath($Root, $_.FullName).Replace('\', '/') } | Sort-Object)
}

<#
The fenced blocks of a page, in order. Marks stand above them, in comments that no reader of the page sees:
  <!-- not run: REASON -->      it cannot be run here
  <!-- file: NAME -->           it is saved as NAME, for the commands of the page
  <!-- given: COMMAND -->       what has happened before
  <!-- exit code: N -->         it ends with N
  <!-- in the background -->    it runs until the page is through
#>
function Get-CodeBlock {
    param([string] $Path)

    $lines = [IO.File]::ReadAllLines($Path)
    for ($i = 0; $i -lt $lines.Count; $i++) {
        if ($lines[$i] -notmatch '^(?<indent> *)```(?<language>\w+)$') { continue }
        $indent, $language, $first = $Matches.indent, $Matches.language, $i
        $marks = @{}
        for ($above = $i - 1; $above -ge 0 -and $lines[$above] -match '^ *<!-- (?<name>[a-z ]+)(: (?<value>.+))? -->$'; $above--) { $marks[$Matches.name] = "$($Matches.value)" }
        for ($i++; $lines[$i] -ne "$indent``````"; $i++) {
            if ($i -ge $lines.Count - 1) { throw "${Path}:$($first + 1): the block has no end." }
        }
        [pscustomobject]@{
            Line     = $first + 1
            Language = $language
            Text     = ($lines[($first + 1)..($i - 1)] -replace "^$indent") -join "`n"
            Marks    = $marks
        }
    }
}

# What is in backquotes within a page's sentences and tables.
function Get-CodeSpan {
    param([string] $Path)

    $prose = [IO.File]::ReadAllText($Path) -replace '(?ms)^ *```.*?^ *```$'
    [regex]::Matches($prose, '`([^`\n]+)`') | ForEach-Object { $_.Groups[1].Value.Replace('\|', '|') }
}
