BeforeAll {
    . $PSScriptRoot/Common.ps1
}

Describe 'Get-FleetNodeId' {
    It 'derives <NodeId> from <MachineId>, as Zincati does' -ForEach @(
        @{ MachineId = 'dfd7882acda64c34aca76193c46f5d4e'; NodeId = '35ba2101ae3f4d45b96e9c51f461bbff' }
        @{ MachineId = '37974b3f7dc54f949209b4fd5b3c5704'; NodeId = 'f59c4fa7d80e406f83993d64abf922e3' }
        @{ MachineId = '4473d601f9234ff2a84617c3eaeeea35'; NodeId = '7742030900754495bfeb49c7d1f4d653' }
        @{ MachineId = '10c30367c3cb44eaaab432e552061395'; NodeId = '72fe241381444dee85d824b8ec33a70f' }
    ) {
        Get-FleetNodeId -MachineId $MachineId | Should -BeExactly $NodeId
        $MachineId.ToUpperInvariant() | Get-FleetNodeId | Should -BeExactly $NodeId
        [guid]::Parse($MachineId).ToString('B') | Get-FleetNodeId | Should -BeExactly $NodeId
    }

    It 'derives another id for another application' {
        Get-FleetNodeId dfd7882acda64c34aca76193c46f5d4e -ApplicationId 00112233445566778899aabbccddeeff | Should -Not -Be '35ba2101ae3f4d45b96e9c51f461bbff'
    }

    It 'gives the machine id itself only when it is asked for by name' {
        Get-FleetNodeId '{DFD7882A-CDA6-4C34-ACA7-6193C46F5D4E}' -Raw | Should -BeExactly 'dfd7882acda64c34aca76193c46f5d4e'
    }

    It 'is that of this machine when nothing is given' {
        if (-not (Test-Path /etc/machine-id)) { Set-ItResult -Skipped -Because 'this machine has no /etc/machine-id' }
        Get-FleetNodeId | Should -BeExactly (Get-Content /etc/machine-id | Get-FleetNodeId)
    }

    It 'refuses <Name> and goes on' -ForEach @(
        @{ Name = 'what is not hexadecimal'; Value = 'zz' }
        @{ Name = 'all zeros'; Value = '0' * 32 }
        @{ Name = 'an uninitialized machine id'; Value = 'uninitialized' }
    ) {
        $ids = $Value, 'dfd7882acda64c34aca76193c46f5d4e' | Get-FleetNodeId -ErrorAction SilentlyContinue -ErrorVariable failed
        $ids | Should -Be '35ba2101ae3f4d45b96e9c51f461bbff'
        $failed[0].FullyQualifiedErrorId | Should -BeLike 'FleetMachineIdInvalid,*'
    }

    It 'refuses a bad application id by its name' {
        { Get-FleetNodeId dfd7882acda64c34aca76193c46f5d4e -ApplicationId zz -ErrorAction Stop } | Should -Throw "*'zz'*" -ErrorId 'FleetApplicationIdInvalid,*'
    }
}
