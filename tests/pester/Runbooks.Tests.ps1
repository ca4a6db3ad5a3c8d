# Runs the commands of docs/runbooks as they stand there, in a real engine and a real shell, against the real server. What would restart or update this
# machine is stood in for by programs on the PATH; the engine at the other end of SSH is a real one.

BeforeDiscovery {
    . $PSScriptRoot/Markdown.ps1
    $pages = foreach ($path in Get-ChildItem (Join-Path $PSScriptRoot '../../docs/runbooks') -Filter *.md | Where-Object Name -NE README.md) {
        $blocks = @(Get-CodeBlock $path.FullName)
        $commands = @(
            for ($i = 0; $i -lt $blocks.Count; $i++) {
                if ($blocks[$i].Language -notin 'powershell', 'sh' -or $blocks[$i].Marks.Contains('file') -or $blocks[$i].Marks.Contains('not run')) { continue }

                # What is in a block of text after it is what it says.
                $says = if ($blocks[$i + 1].Language -eq 'text') { $blocks[$i + 1].Text }
                @{ Block = $blocks[$i]; Line = $blocks[$i].Line; Says = $says }
            }
        )
        $spared = @($blocks | Where-Object { $_.Marks.Contains('not run') })
        @{ Page = $path.BaseName; Path = $path.FullName; Blocks = $blocks; Commands = $commands; Runs = $commands.Count; Spared = $spared.Count; Reasons = @($spared.Marks.'not run') }
    }
}

BeforeAll {
    . $PSScriptRoot/Common.ps1
    $engine = "'$(@($EngineProgram) + $EngineArguments -join "' '")'"
    $programs = Join-Path $TestDrive 'programs'
    $modules = Join-Path $TestDrive 'modules'
    $null = New-Item -ItemType Directory $programs, $modules, (Join-Path $modules 'PSWindowsUpdate')

    function New-Program {
        param([string] $Name, [string] $Body)

        $path = Join-Path $programs $Name
        Set-Content $path "#!/bin/sh`n$Body`n" -NoNewline
        [IO.File]::SetUnixFileMode($path, 'UserRead,UserWrite,UserExecute')
    }

    if (-not $IsWindows) {
        New-Program fleetlockctl "exec dotnet '$RepositoryRoot/out/fleetlockctl/fleetlockctl.dll' `"`$@`""
        New-Program pwsh "exec $engine `"`$@`""
        New-Program ssh "exec $engine -NoLogo -NoProfile -sshs"
        New-Program sudo 'exec env "$@"'
        New-Program cat 'case $1 in /proc/sys/kernel/random/boot_id) exec /bin/cat "$HOME/boot-id" ;; *) exec /bin/cat "$@" ;; esac'
        New-Program shutdown 'echo "after $$" > "$HOME/boot-id"; echo "shutdown $*" >> "$HOME/done"'
        foreach ($name in 'apt-get', 'dnf', 'systemctl') { New-Program $name "echo `"$name `$*`" >> `"`$HOME/done`"" }
    }
    Set-Content (Join-Path $modules 'PSWindowsUpdate/PSWindowsUpdate.psm1') @'
function Install-WindowsUpdate { param([switch] $AcceptAll, [switch] $IgnoreReboot) Add-Content "$HOME/done" installed }
function Get-WURebootStatus { param([switch] $Silent) Test-Path "$HOME/restart-needed" }
'@

    # A page's folder, with the files that it shows, and its environment: the module where modules are, and the programs.
    function New-PageSetting {
        param([string] $Page, [hashtable] $Address, $Blocks, [string] $Group)

        $folder = (New-Item -ItemType Directory (Join-Path $TestDrive $Page)).FullName
        Set-Content (Join-Path $folder 'boot-id') 'before'
        foreach ($file in $Blocks | Where-Object { $_.Marks.Contains('file') }) {
            $path = Join-Path $folder $file.Marks['file']
            Set-Content $path (Get-Text $file.Text $Address)
            if (-not $IsWindows) { [IO.File]::SetUnixFileMode($path, 'UserRead,UserWrite,UserExecute') }
        }
        @{
            Folder      = $folder
            Address     = $Address
            Environment = @{
                HOME            = $folder
                PATH            = $folder, $programs, $env:PATH -join [IO.Path]::PathSeparator
                PSModulePath    = $modules, (Join-Path $RepositoryRoot 'out') -join [IO.Path]::PathSeparator
                NO_COLOR        = '1'
                FLEETLOCK_URL   = $Address['https://fleetlock.example.net']
                FLEETLOCK_GROUP = $Group
                FLEETLOCK_ID    = 'this-machine'
            }
        }
    }

    # A page's addresses are those of the test's servers.
    function Get-Text {
        param([string] $Text, [hashtable] $Address)

        foreach ($one in $Address.Keys) { $Text = $Text.Replace($one, $Address[$one]) }
        $Text
    }

    function Start-Block {
        param($Setting, $Block)

        $start = [Diagnostics.ProcessStartInfo]::new()
        $start.WorkingDirectory = $Setting.Folder
        $start.RedirectStandardInput = $start.RedirectStandardOutput = $start.RedirectStandardError = $true
        foreach ($name in $Setting.Environment.Keys) { $start.Environment[$name] = $Setting.Environment[$name] }
        $path = Join-Path $Setting.Folder "line-$($Block.Line).$(if ($Block.Language -eq 'sh') { 'sh' } else { 'ps1' })"
        Set-Content $path (Get-Text $Block.Text $Setting.Address)
        if ($Block.Language -eq 'sh') {
            $start.FileName = 'bash'
            $arguments = '-e', $path
        }
        else {
            # Nobody sleeps, and no machine restarts, whatever a page says.
            $start.FileName = $EngineProgram
            $arguments = $EngineArguments + '-NoProfile', '-NonInteractive', '-NoLogo', '-Command', "function Start-Sleep {} function Restart-Computer { Add-Content `"`$HOME/done`" restarted } & '$path'; if (-not `$?) { exit 1 }"
        }
        foreach ($argument in $arguments) { $start.ArgumentList.Add($argument) }
        $process = [Diagnostics.Process]::Start($start)
        $process.StandardInput.Close()
        $process
    }

    function Invoke-Block {
        param($Setting, $Block)

        $process = Start-Block $Setting $Block
        $output, $errors = $process.StandardOutput.ReadToEndAsync(), $process.StandardError.ReadToEndAsync()
        if (-not $process.WaitForExit($Hang)) {
            $process.Kill($true)
            throw "It did not end: $($Block.Text)"
        }
        [pscustomobject]@{ ExitCode = $process.ExitCode; Output = $output.Result + $errors.Result }
    }

    # What differs from run to run: ids, times, ports, and the width of columns.
    function Get-Comparable {
        param([string] $Text)

        $Text -replace '\b[0-9a-f]{32}\b', 'ID' -replace '\d{4}-\d\d-\d\d \d\d:\d\d:\d\d', 'TIME' -replace '127\.0\.0\.1:\d+', 'ADDRESS' -replace '[ \t]+', ' '
    }
}

Describe 'Runbook <Page>' -ForEach $pages {
    BeforeAll {
        $server = Start-TestServer -Group default=1, maintenance=1, sql=1, web=1, workers=2
        $address = @{ 'https://fleetlock.example.net' = $server.Uri; 'http://127.0.0.1:3333' = $server.Uri }
        if ($Page -eq 'move-from-airlock' -and -not [FleetLock.TestKit.EtcdProcess]::Missing) {
            $etcd = [FleetLock.TestKit.EtcdProcess]::StartAsync().GetAwaiter().GetResult()
            $etcd.PutAsync('com.coreos.airlock/groups/workers/v1/semaphore', '{"total_slots":3,"holders":["node-1"]}').GetAwaiter().GetResult()
            $address['127.0.0.1:2379'] = $etcd.Endpoint.Authority
            $address['127.0.0.1:3334'] = [FleetLock.TestKit.EtcdProcess]::FreeEndpoint().Authority
        }
        $group = switch ($Page) { patch-linux { 'web' } patch-windows { 'sql' } default { 'workers' } }
        $setting = New-PageSetting $Page $address $Blocks $group
        $background = [Collections.Generic.List[object]]::new()
    }

    AfterAll {
        foreach ($process in $background) {
            $process.Kill($true)
            $process.WaitForExit()
        }
        if ($etcd) { $etcd.DisposeAsync().AsTask().GetAwaiter().GetResult() }
        Stop-TestServer $server
    }

    It 'says first when to use it, and last what can go wrong' {
        $headings = @(Get-Content $Path | Where-Object { $_ -match '^## ' })
        $headings[0] | Should -Be '## When to use it'
        $headings[-1] | Should -Be '## What can go wrong'
    }

    It 'has <Runs> commands that run here, and <Spared> that say why not' {
        $Runs | Should -BeGreaterThan 0
        @($Reasons | Where-Object { $_ }).Count | Should -Be $Spared
    }

    It 'has no PowerShell that the language does not take' {
        foreach ($block in $Blocks | Where-Object Language -EQ powershell) {
            $faults = $null
            $null = [Management.Automation.Language.Parser]::ParseInput($block.Text, [ref]$null, [ref]$faults)
            $faults | Should -BeNullOrEmpty -Because "of line $($block.Line)"
        }
    }

    It 'does what it says in line <Line>' -ForEach $Commands {
        if ($IsWindows) { Set-ItResult -Skipped -Because 'what stands in for other programs are shell scripts'; return }
        if ($Page -eq 'move-from-airlock' -and -not $etcd) { Set-ItResult -Skipped -Because ([FleetLock.TestKit.EtcdProcess]::Missing); return }

        foreach ($given in @($Block.Marks['given']) -ne $null) {
            (Invoke-Block $setting ([pscustomobject]@{ Line = "$Line-given"; Language = 'sh'; Text = $given })).ExitCode | Should -Be 0 -Because $given
        }
        if ($Block.Marks.Contains('in the background')) {
            $process = Start-Block $setting $Block
            $background.Add($process)
            $output = $process.StandardOutput.ReadLine()
        }
        else {
            $end = Invoke-Block $setting $Block
            $output = $end.Output
            $end.ExitCode | Should -Be ([int]$Block.Marks['exit code']) -Because $output
        }
        foreach ($text in "$Says" -split "`n" -ne '') {
            Get-Comparable $output | Should -BeLike "*$([WildcardPattern]::Escape((Get-Comparable $text).Trim()))*"
        }
    }
}

Describe 'The scripts of the runbooks, when it is not a good day' -Skip:$IsWindows {
    BeforeAll {
        . $PSScriptRoot/Markdown.ps1
        $server = Start-TestServer -Group sql=1, web=1
        $address = @{ 'https://fleetlock.example.net' = $server.Uri }
        $blocks = 'patch-windows', 'patch-linux' | ForEach-Object { Get-CodeBlock (Join-Path $RepositoryRoot "docs/runbooks/$_.md") }

        function Invoke-Line {
            param($Setting, [string] $Line, [string] $Language = 'powershell')

            Invoke-Block $Setting ([pscustomobject]@{ Line = [guid]::NewGuid(); Language = $Language; Text = $Line })
        }

        function Get-Done {
            param($Setting)

            Get-Content (Join-Path $Setting.Folder 'done') -ErrorAction Ignore
        }
    }

    AfterAll {
        Stop-TestServer $server
    }

    It 'holds the slot of a Windows machine that restarts, until it is up again' {
        $setting = New-PageSetting restarts $address $blocks sql
        $null = New-Item (Join-Path $setting.Folder 'restart-needed')
        (Invoke-Line $setting ./Patch.ps1).ExitCode | Should -Be 0
        Get-Done $setting | Should -Be @('installed', 'restarted')
        Get-Holder $server sql | Should -Be 'this-machine'
        (Invoke-Line $setting ./Unlock.ps1).ExitCode | Should -Be 0
        Get-Holder $server sql | Should -BeNullOrEmpty
    }

    It 'installs nothing without a slot, and says so to the scheduler' {
        $setting = New-PageSetting refused $address $blocks no-such-group
        $end = Invoke-Line $setting 'pwsh -NoProfile -NonInteractive -File Patch.ps1; exit $LASTEXITCODE'
        $end.ExitCode | Should -Be 1
        $end.Output | Should -BeLike '*no-such-group*'
        Get-Done $setting | Should -BeNullOrEmpty
    }

    It 'stops behind a Linux machine that is not patched, and holds its slot' {
        $setting = New-PageSetting broken $address $blocks web
        Set-Content (Join-Path $setting.Folder 'apt-get') "#!/bin/sh`nexit 100"
        [IO.File]::SetUnixFileMode((Join-Path $setting.Folder 'apt-get'), 'UserRead,UserWrite,UserExecute')
        $end = Invoke-Line $setting './Update-Fleet.ps1 -Group web -Machine web-1, web-2'
        $end.ExitCode | Should -Be 1
        $end.Output | Should -Not -BeLike '*web-2*'
        Get-Done $setting | Should -BeNullOrEmpty
        Get-Holder $server web | Should -Be 'web-1'
        Unlock-FleetGroup -Group web -Id web-1 -Uri $server.Uri
    }

    It 'neither patches nor reboots a Linux machine that is refused' {
        $setting = New-PageSetting refused-linux $address $blocks no-such-group
        $end = Invoke-Line $setting 'patch-and-reboot' sh
        $end.ExitCode | Should -Be 77
        Get-Done $setting | Should -BeNullOrEmpty
    }

    It 'holds the slot of a Linux machine that reboots' {
        $setting = New-PageSetting reboots $address $blocks web
        (Invoke-Line $setting 'patch-and-reboot' sh).ExitCode | Should -Be 0
        (Get-Done $setting)[-1] | Should -Be 'systemctl reboot'
        Get-Holder $server web | Should -Be 'this-machine'
    }
}
