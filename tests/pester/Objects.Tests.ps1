BeforeAll {
    . $PSScriptRoot/Common.ps1
}

Describe 'An object in the place of a group or an id' {
    BeforeAll {
        $raw = New-RawServer
        $env:FLEETLOCK_ID = 'this-machine'
    }

    AfterAll {
        $env:FLEETLOCK_ID = $null
        Stop-RawServer $raw
    }

    It 'is an error that names the missing property: <Command>' -ForEach @(
        @{ Property = 'Id'; Command = "[pscustomobject]@{ ComputerName = 'pc7' } | Lock-FleetGroup -Group one" }
        @{ Property = 'Id'; Command = "[pscustomobject]@{ ComputerName = 'pc7' } | Unlock-FleetGroup -Group one" }
        @{ Property = 'Id'; Command = "[pscustomobject]@{ Group = 'one'; Node = 'n1' } | Lock-FleetGroup" }
        @{ Property = 'Id'; Command = "[pscustomobject]@{ Group = 'one'; Node = 'n1' } | Unlock-FleetGroup" }
        @{ Property = 'Id'; Command = "[pscustomobject]@{ Group = 'one' } | Unlock-FleetGroup -Force -Reason dead" }
        @{ Property = 'Group'; Command = "[pscustomobject]@{ Name = 'one' } | Lock-FleetGroup" }
        @{ Property = 'Group'; Command = "[pscustomobject]@{ Name = 'one' } | Lock-FleetGroup -Id n1" }
        @{ Property = 'Group'; Command = "@{ Group = 'one'; Id = 'n1' } | Lock-FleetGroup" }
        @{ Property = 'Group'; Command = "[pscustomobject]@{ Group = [pscustomobject]@{ Name = 'one' }; Id = 'n1' } | Lock-FleetGroup" }
        @{ Property = 'Group'; Command = "[pscustomobject]@{ Name = 'one' } | Get-FleetGroup" }
        @{ Property = 'Group'; Command = "[pscustomobject]@{ Name = 'one' } | Set-FleetGroup -Slots 1" }
        @{ Property = 'Group'; Command = "[pscustomobject]@{ Name = 'one' } | Test-FleetLock" }
        @{ Property = 'Id'; Command = "Lock-FleetGroup one -Id ([pscustomobject]@{ Name = 'n1' })" }
    ) {
        $before = $raw.Requests.Count
        $run = [scriptblock]::Create("`$PSDefaultParameterValues = @{ '*-Fleet*:Uri' = '$($raw.Url)' }; $Command")
        $caught = try { & $run } catch { $_ }
        $caught.Exception.Message | Should -BeLike "*property '$Property'*"
        $caught.FullyQualifiedErrorId | Should -Match '^(ParameterArgumentTransformationError|FleetNodeIdInvalid),'
        $raw.Requests.Count | Should -Be $before
    }

    It 'is an error for a machine id' {
        { [pscustomobject]@{ Id = 'dfd7882acda64c34aca76193c46f5d4e' } | Get-FleetNodeId } | Should -Throw "*property 'MachineId'*"
    }

    It 'does not keep the rows beside it from the server' {
        $rows = [pscustomobject]@{ Group = 'web'; Id = 'n1' }, [pscustomobject]@{ Group = 'web' }, [pscustomobject]@{ Name = 'web' }, [pscustomobject]@{ Group = 'web'; Id = 'n2' }
        $granted = $rows | Lock-FleetGroup -Uri $raw.Url -ThrottleLimit 1 -ErrorAction SilentlyContinue -ErrorVariable failed
        $granted.Id | Should -Be @('n1', 'n2')
        $failed.Count | Should -Be 2
    }

    It 'binds by its properties, and text as it is: <Command>' -ForEach @(
        @{ Gives = 'web n1'; Command = "[pscustomobject]@{ Group = 'web'; Id = 'n1'; ComputerName = 'pc7' } | Lock-FleetGroup" }
        @{ Gives = 'web n1'; Command = "[pscustomobject]@{ Id = 'n1' } | Lock-FleetGroup -Group web" }
        @{ Gives = 'web n1'; Command = "[pscustomobject]@{ Group = 'web' } | Lock-FleetGroup -Id n1" }
        @{ Gives = 'default n1'; Command = "[pscustomobject]@{ Id = 'n1' } | Lock-FleetGroup" }
        @{ Gives = 'web n1', 'web n2'; Command = "'n1', 'n2' | Lock-FleetGroup -Group web" }
        @{ Gives = 'web this-machine', 'db this-machine'; Command = "'web', 'db' | Lock-FleetGroup" }
        @{ Gives = 'web 7'; Command = '7 | Lock-FleetGroup -Group web' }
        @{ Gives = 'web n1', 'web n2'; Command = "Lock-FleetGroup web -Id ([pscustomobject]@{ Id = 'n1' }, 'n2')" }
    ) {
        $run = [scriptblock]::Create("`$PSDefaultParameterValues = @{ '*-Fleet*:Uri' = '$($raw.Url)'; '*-Fleet*:ThrottleLimit' = 1 }; $Command")
        & $run | ForEach-Object { "$($_.Group) $($_.Id)" } | Should -Be $Gives
    }
}
