using FleetLock;

var configuration = FleetLockConfiguration.Resolve(group: "workers"); // the server from FLEETLOCK_URL, the id from this machine
using var client = new FleetLockClient(new FleetLockClientOptions { Server = configuration.RequireServer() });
var result = await client.LockAsync(configuration.RequireGroup(), configuration.RequireId());
Console.WriteLine(result);
if (result.Status != FleetLockStatus.Granted)
    return 75; // not now; result.Message says why, and nothing but Granted is a grant
Console.WriteLine("The machine may be rebooted now.");
(await client.UnlockAsync(result.Group, result.Id)).EnsureSuccess(); // when it is healthy again
return 0;
