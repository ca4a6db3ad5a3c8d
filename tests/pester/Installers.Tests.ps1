# The installers that people have, with a folder as the repository and a new engine for each step. Nothing is fetched, and nothing of this
# user's own changes. The steps of a Describe build on one another.

BeforeAll {
    . $PSScriptRoot/Common.ps1
    $version = [version](Import-PowerShellDataFile $ModulePath).ModuleVersion
    $later = [version]::new($version.Major, $version.Minor + 1, 0)

    # This user's lists of repositories, and this module among the user's own: nothing of them may change.
    $data = [Environment]::GetFolderPath('LocalApplicationData', 'DoNotVerify')
    $own = "$data/PSResourceGet", "$data/powershell/Modules/FleetLock", "$HOME/.cache/powershell/PowerShellGet"
    function Get-OwnSetting {
        Get-ChildItem $own -Recurse -ErrorAction Ignore | ForEach-Object { "$($_.FullName) $($_.LastWriteTimeUtc.Ticks)" }
    }

    # The environment of a user who has nothing: no settings, no modules, no network.
    function Set-Sandbox {
        param([string] $Name)

        $root = (New-Item (Join-Path $TestDrive $Name) -ItemType Directory).FullName
        foreach ($folder in '.config', '.local/share', 'repository', 'work', 'saved') {
            $null = New-Item "$root/$folder" -ItemType Directory
        }
        $env:HOME = $root
        $env:XDG_DATA_HOME = $env:XDG_CONFIG_HOME = $env:XDG_CACHE_HOME = $env:PSModulePath = $null
        $env:https_proxy = $env:http_proxy = 'http://127.0.0.1:1'
        $env:no_proxy = '127.0.0.1'
        $root
    }

    # Runs commands in a new engine, and returns what they write.
    function Invoke-Step {
        param([string] $Command)

        $preferences = '$ErrorActionPreference = "Stop"; $ProgressPreference = "SilentlyContinue"'
        $output = Invoke-Engine -Command "$preferences; Set-Location '$root'; $Command" 2>&1
        if ($LASTEXITCODE) { throw "$Command`n$($output | Out-String)" }
        $output
    }

    # The module's folder, under the name that publishing wants.
    function Copy-Module {
        param([string] $To)

        Copy-Item (Split-Path $ModulePath) (Join-Path $root "work/$To/FleetLock") -Recurse
    }

    function Test-Module {
        param([string] $Folder)

        & (Join-Path $RepositoryRoot 'tests/package/Invoke-WalkThrough.ps1') -ModuleFolder $Folder
    }

    # What a new engine finds by its name.
    $imported = '$null = Get-FleetNodeId dfd7882acda64c34aca76193c46f5d4e; "$((Get-Module FleetLock).Version)"'
    $before = Get-OwnSetting
}

Describe '<Installer>' -ForEach @(
    @{
        Installer = 'PSResourceGet'
        Register  = 'Register-PSResourceRepository fleet $PWD/repository -Trusted'
        Renew     = 'Update-PSModuleManifest'
        Publish   = 'Publish-PSResource -Path {0} -Repository fleet'
        Found     = '(Find-PSResource FleetLock -Repository fleet).Version.ToString()'
        Install   = 'Install-PSResource FleetLock -Version {0} -Repository fleet'
        Installed = 'Get-InstalledPSResource FleetLock | ForEach-Object { "$($_.Version)" }'
        Update    = 'Update-PSResource FleetLock -Repository fleet'
        Uninstall = 'Uninstall-PSResource FleetLock -Version {0}'
        Save      = 'Save-PSResource FleetLock -Repository fleet -Path saved'
    }
    @{
        Installer = 'PowerShellGet'
        Register  = 'Register-PSRepository fleet $PWD/repository -PublishLocation $PWD/repository -InstallationPolicy Trusted'
        Renew     = 'Update-ModuleManifest'
        # It packs by a project for .NET Core 2.0, of which it needs nothing: with these, nothing is fetched for it and nothing compiled.
        Publish   = '$env:DisableImplicitFrameworkReferences = $env:NoBuild = "true"; Publish-Module -Path {0} -Repository fleet'
        Found     = '(Find-Module FleetLock -Repository fleet).Version'
        Install   = 'Install-Module FleetLock -RequiredVersion {0} -Repository fleet -Scope CurrentUser'
        Installed = '(Get-InstalledModule FleetLock -AllVersions).Version'
        Update    = 'Update-Module FleetLock'
        Uninstall = 'Uninstall-Module FleetLock -RequiredVersion {0}'
        Save      = 'Save-Module FleetLock -Repository fleet -Path saved'
    }
) {
    BeforeAll {
        $root = Set-Sandbox $Installer
        $modules = "$root/.local/share/powershell/Modules"
    }

    BeforeEach {
        if ($IsWindows) { Set-ItResult -Skipped -Because 'Windows installs into the folder of documents, whatever the environment says' }
    }

    It 'publishes the module''s folder' {
        Copy-Module now
        Invoke-Step "$Register; $($Publish -f 'work/now/FleetLock'); $Found" | Should -Be "$version"
        (Get-ChildItem "$root/repository").Name | Should -Be "FleetLock.$version.nupkg"
    }

    It 'installs it, and a new engine locks, refuses and unlocks with it' {
        Invoke-Step "$($Install -f $version); $Installed" | Should -Be "$version"
        Test-Module $modules | Should -Be 'granted, refused, released'
    }

    It 'publishes a later version, which its own tool has named' {
        Copy-Module later
        $renewed = "$Renew work/later/FleetLock/FleetLock.psd1 -ModuleVersion $later"
        Invoke-Step "$renewed; $($Publish -f 'work/later/FleetLock'); $Found" | Should -Be "$later"
    }

    It 'updates to the later version, with both editions in it' {
        Invoke-Step "$Update; $Installed" | Sort-Object | Should -Be @("$version", "$later")
        Invoke-Step $imported | Should -Be "$later"
        foreach ($file in Get-ChildItem (Split-Path $ModulePath) -Recurse -File -Name) { "$modules/FleetLock/$later/$file" | Should -Exist }
        Test-Module $modules | Should -Be 'granted, refused, released'
    }

    It 'uninstalls the later version, and the earlier one serves again' {
        Invoke-Step "$($Uninstall -f $later); $Installed" | Should -Be "$version"
        Invoke-Step $imported | Should -Be "$version"
    }

    It 'saves it where it is told, and leaves nothing when it is uninstalled' {
        Invoke-Step "$Save; $($Uninstall -f $version)"
        "$root/saved/FleetLock/$later/FleetLock.psd1" | Should -Exist
        "$modules/FleetLock/$version" | Should -Not -Exist
        Test-Module "$root/saved" | Should -Be 'granted, refused, released'
    }

    It 'has changed nothing of this user''s own' {
        Get-OwnSetting | Should -Be $before
    }
}
