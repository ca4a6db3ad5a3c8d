<#
.SYNOPSIS
    Unpacks the package as an installer does, and takes the walk-through in an engine of its own that finds the module by its name.
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory)] [string] $Package,
    [Parameter(Mandatory)] [string] $Folder
)

$ErrorActionPreference = 'Stop'
$Folder = (New-Item $Folder -ItemType Directory -Force).FullName
$version = [IO.Path]::GetFileNameWithoutExtension($Package) -replace '^FleetLock\.'
$module = Join-Path $Folder "FleetLock/$version"
$null = New-Item $module -ItemType Directory
Add-Type -AssemblyName System.IO.Compression.FileSystem
[IO.Compression.ZipFile]::ExtractToDirectory($Package, $module)
foreach ($part in '_rels', 'package', '[Content_Types].xml', 'FleetLock.nuspec') { Remove-Item -LiteralPath (Join-Path $module $part) -Recurse -Force }

& $PSScriptRoot/Invoke-WalkThrough.ps1 -ModuleFolder $Folder
