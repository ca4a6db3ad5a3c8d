BeforeDiscovery {
    # Each cmdlet that talks to a server. A new one is one line.
    $commands = @(
        @{ Command = 'Lock-FleetGroup web -Id n1'; MayBeGranted = $true }
        @{ Command = 'Lock-FleetGroup web -Id n1 -Wait'; MayBeGranted = $true }
        @{ Command = 'Invoke-FleetLock { "the block" } -Group web -Id n1'; MayBeGranted = $true }
        @{ Command = 'Unlock-FleetGroup web -Id n1 -PassThru'; MayBeGranted = $false }
        @{ Command = 'Unlock-FleetGroup web -Id n1 -PassThru -Wait'; MayBeGranted = $false }
        @{ Command = 'Unlock-FleetGroup web -Id n1 -PassThru -Force -Reason dead'; MayBeGranted = $false }
        @{ Command = "Unlock-FleetGroup web -Id n1 -PassThru -GrantId $('a' * 32)"; MayBeGranted = $false }
        @{ Command = 'Confirm-FleetStoreRestore'; MayBeGranted = $false }
        @{ Command = 'Get-FleetGroup web'; MayBeGranted = $false }
        @{ Command = 'Set-FleetGroup web -Slots 1 -PassThru'; MayBeGranted = $false }
        @{ Command = 'Test-FleetLock web -Id n1'; MayBeGranted = $false }
    )
}

BeforeAll {
    . $PSScriptRoot/Common.ps1
}

Describe 'Ctrl+C while <Command> waits for the answer' -ForEach $commands {
    AfterEach {
        Stop-RawServer $raw
        Set-InteractiveLimit InterruptedRelease
    }

    It 'stops it, and it writes no result and no error' {
        $raw = New-RawServer ([FleetLock.TestKit.RawAnswer]::Never), (New-Answer 200)
        $stopped = Invoke-Stopped "$Command -Uri $($raw.Url); 'the script went on'" $raw
        $stopped.State | Should -Be 'Stopped'
        # But for the doctor's checks, which are written as they come.
        $stopped.Errors + @($stopped.Output | Where-Object { $_ -isnot [FleetLock.FleetLockCheck] }) | Should -BeNullOrEmpty
        $asked = @(Get-Asked $raw | Select-Object -Skip 1)
        $asked.Count | Should -Be ([int]$MayBeGranted)
        if ($MayBeGranted) { $asked | Should -Be "/v1/groups/web/grants/$(Get-GrantId $raw)?id=n1&reason=undo" }
    }

    It 'stops it when the server answers nothing at all, not even the release' {
        Reset-InteractiveLimit InterruptedRelease
        $raw = New-RawServer ([FleetLock.TestKit.RawAnswer]::Never)
        $stopped = Invoke-Stopped "$Command -Uri $($raw.Url) -TimeoutSec 0" $raw
        $stopped.State | Should -Be 'Stopped'
    }
}
