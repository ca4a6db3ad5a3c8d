# In one warm session: a lock and unlock pair by the cmdlets, by Invoke-RestMethod, and by a bare HttpClient. Prints milliseconds for a pair.
param([string] $ModulePath, [string] $Uri, [double] $Seconds)

Import-Module $ModulePath
$body = '{"client_params":{"id":"bench","group":"bench"}}'
$header = @{ 'fleet-lock-protocol' = 'true' }
$http = [Net.Http.HttpClient]::new()
$http.DefaultRequestHeaders.Add('fleet-lock-protocol', 'true')

$ways = [ordered]@{
    'Lock-FleetGroup, Unlock-FleetGroup' = {
        $null = Lock-FleetGroup bench -Id bench -Uri $Uri
        Unlock-FleetGroup bench -Id bench -Uri $Uri
    }
    'Invoke-RestMethod, twice'           = {
        $null = Invoke-RestMethod "$Uri/v1/pre-reboot" -Method Post -Headers $header -Body $body
        $null = Invoke-RestMethod "$Uri/v1/steady-state" -Method Post -Headers $header -Body $body
    }
    'HttpClient from script, twice'      = {
        $null = $http.PostAsync("$Uri/v1/pre-reboot", [Net.Http.StringContent]::new($body)).GetAwaiter().GetResult()
        $null = $http.PostAsync("$Uri/v1/steady-state", [Net.Http.StringContent]::new($body)).GetAwaiter().GetResult()
    }
}

foreach ($way in $ways.Keys) {
    $pair = $ways[$way]
    # Warm: what has run often enough is compiled again beside it, and that takes seconds on few processors.
    $watch = [Diagnostics.Stopwatch]::StartNew()
    while ($watch.Elapsed.TotalSeconds -lt 2 * $Seconds) { . $pair }
    $watch.Restart()
    for ($count = 0; $watch.Elapsed.TotalSeconds -lt $Seconds; $count++) { . $pair }
    [string]::Format([cultureinfo]::InvariantCulture, '{0}|{1:0.000}', $way, $watch.Elapsed.TotalMilliseconds / $count)
}
