BeforeAll {
    . $PSScriptRoot/Common.ps1
    $server = Start-TestServer -Group controllers=1
    $env:FLEETLOCK_URL = $server.Uri
}

AfterAll {
    $env:FLEETLOCK_URL = $null
    Stop-TestServer $server
}

Describe 'The walk-through: one slot, this machine and another' {
    It 'grants the slot to this machine' {
        $granted = Lock-FleetGroup -Group controllers
        $granted.Status | Should -Be 'Granted'
        $granted.Id | Should -Be (Get-FleetNodeId)
    }

    It 'grants it again to this machine, which holds it' {
        (Lock-FleetGroup -Group controllers).Status | Should -Be 'Granted'
    }

    It 'refuses another machine' {
        $answer = Lock-FleetGroup -Group controllers -Id another-machine -ErrorAction SilentlyContinue -ErrorVariable refused
        $answer | Should -BeNullOrEmpty
        $refused.Count | Should -Be 1
        $refused[0].TargetObject.Message | Should -Be 'all 1 semaphore slots currently locked'
    }

    It 'changes nothing when the other machine releases what it does not hold' {
        Unlock-FleetGroup -Group controllers -Id another-machine
        { Lock-FleetGroup -Group controllers -Id another-machine -ErrorAction Stop } | Should -Throw -ErrorId 'FleetGroupBusy,*'
    }

    It 'takes the slot back from this machine' {
        Unlock-FleetGroup -Group controllers | Should -BeNullOrEmpty
    }

    It 'grants it to the other machine then' {
        (Lock-FleetGroup -Group controllers -Id another-machine).Status | Should -Be 'Granted'
    }
}
