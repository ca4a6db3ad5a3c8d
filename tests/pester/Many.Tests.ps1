BeforeAll {
    . $PSScriptRoot/Common.ps1
    $server = Start-TestServer -Group 'many=2000', 'few=990'
    $ids = 1..1000 | ForEach-Object { 'n{0:d4}' -f $_ }
}

AfterAll {
    Stop-TestServer $server
}

Describe 'A thousand ids through the pipeline' {
    It 'are locked and unlocked, each with an object of its own, with <Name>' -ForEach @(
        @{ Name = 'the default throttle'; Throttle = @{} }
        @{ Name = 'one request at a time'; Throttle = @{ ThrottleLimit = 1 } }
    ) {
        $granted = $ids | Lock-FleetGroup -Group many -Uri $server.Uri @Throttle
        $granted.Count | Should -Be 1000
        @($granted | Where-Object Status -NE 'Granted').Count | Should -Be 0
        Compare-Object $granted.Id $ids | Should -BeNullOrEmpty
        if ($Throttle.Count) { "$($granted.Id)" | Should -Be "$ids" }
        Compare-Object (Get-Holder $server many) $ids | Should -BeNullOrEmpty

        $released = $granted | Unlock-FleetGroup -PassThru @Throttle
        Compare-Object $released.Id $ids | Should -BeNullOrEmpty
        @($released | Where-Object Status -NE 'Released').Count | Should -Be 0
        Get-Holder $server many | Should -BeNullOrEmpty
    }

    It 'are each granted or refused with an object or an error record of its own' {
        $granted = $ids | Lock-FleetGroup -Group few -Uri $server.Uri -ErrorAction SilentlyContinue -ErrorVariable refused
        $granted.Count, $refused.Count | Should -Be @(990, 10)
        Compare-Object (@($granted.Id) + @($refused.TargetObject.Id)) $ids | Should -BeNullOrEmpty
        $refused.FullyQualifiedErrorId | Select-Object -Unique | Should -Be 'FleetGroupBusy,FleetLock.PowerShell.Commands.LockFleetGroupCommand'
        Compare-Object (Get-Holder $server few) $granted.Id | Should -BeNullOrEmpty
        $ids | Unlock-FleetGroup -Group few -Uri $server.Uri
    }
}

Describe 'A pipeline that ends early' {
    AfterEach {
        Get-Holder $server many | Unlock-FleetGroup -Group many -Uri $server.Uri
    }

    It 'leaves only what was written held, and releases what was granted beside it' {
        $written = $ids | Lock-FleetGroup -Group many -Uri $server.Uri | Select-Object -First 1
        $written.Status | Should -Be 'Granted'
        Get-Holder $server many | Should -Be $written.Id
    }

    It 'leaves only what was written held when the rest comes as an argument' {
        $written = Lock-FleetGroup -Group many -Id $ids -Uri $server.Uri | Select-Object -First 3
        Compare-Object (Get-Holder $server many) $written.Id | Should -BeNullOrEmpty
    }

    It 'leaves held what was written when Ctrl+C comes in the middle' {
        $running = Start-Script "& { for (`$i = 0; ; `$i++) { `"c`$i`" } } | Lock-FleetGroup -Group many -ErrorAction Ignore -Uri $($server.Uri)"
        Wait-Until { $running.Output.Count -ge 20 }
        $stopped = Stop-Script $running
        $stopped.State | Should -Be 'Stopped'

        # Nothing that was written is taken away. One more may be held: that which was being written when the engine stopped taking objects.
        $held = @(Get-Holder $server many)
        $stopped.Output.Id | Where-Object { $_ -notin $held } | Should -BeNullOrEmpty
        $held.Count - $stopped.Output.Count | Should -BeIn 0, 1
    }
}

Describe 'The throttle' {
    BeforeAll {
        # One request more than there may be would have come by the time that another, begun later, is answered: on the busiest machine too.
        function Invoke-OtherRequest {
            $null = Lock-FleetGroup few -Id other -Uri $server.Uri
            Unlock-FleetGroup few -Id other -Uri $server.Uri
        }
    }

    It 'has no more than -ThrottleLimit requests under way, and writes each answer as it comes' {
        $gate = [Threading.Tasks.TaskCompletionSource]::new()
        $raw = New-RawServer (New-Answer 200).After($gate.Task)
        $running = Start-Script "1..10 | Lock-FleetGroup -Group web -ThrottleLimit 3 -Uri $($raw.Url)"
        Wait-Until { $raw.Requests.Count -ge 3 }
        Invoke-OtherRequest
        $raw.Requests.Count | Should -Be 3
        $gate.SetResult()
        (Complete-Script $running).Output.Id | Sort-Object { [int]$_ } | Should -Be (1..10)
        Stop-RawServer $raw
    }

    It 'is 16 if it is not given' {
        $gate = [Threading.Tasks.TaskCompletionSource]::new()
        $raw = New-RawServer (New-Answer 200).After($gate.Task)
        $running = Start-Script "1..40 | Unlock-FleetGroup -Group web -PassThru -Uri $($raw.Url)"
        Wait-Until { $raw.Requests.Count -ge 16 }
        Invoke-OtherRequest
        $raw.Requests.Count | Should -Be 16
        $gate.SetResult()
        (Complete-Script $running).Output.Count | Should -Be 40
        Stop-RawServer $raw
    }

    It 'takes no limit of <_>' -ForEach 0, 1001 {
        { Lock-FleetGroup web -Id n1 -Uri 'http://127.0.0.1:1' -ThrottleLimit $_ } | Should -Throw -ErrorId 'ParameterArgumentValidationError,*'
    }

    It 'releases every request under way on Ctrl+C' {
        $raw = New-RawServer (@([FleetLock.TestKit.RawAnswer]::Never) * 4 + (New-Answer 200))
        $running = Start-Script "1..10 | Lock-FleetGroup -Group web -ThrottleLimit 4 -Uri $($raw.Url)"
        Wait-Until { $raw.Requests.Count -eq 4 }
        $stopped = Stop-Script $running
        $stopped.State | Should -Be 'Stopped'
        $undone = @($raw.Requests | Where-Object Line -Match '^DELETE /v1/groups/web/grants/' | ForEach-Object { ($_.Line -split '[/?]')[5] })
        $undone | Sort-Object | Should -Be @($raw.Requests | Where-Object Line -Match pre-reboot | ForEach-Object { $_.Header('FleetLock-Grant') } | Sort-Object)
        Stop-RawServer $raw
    }
}
