using System.Diagnostics;
using System.Net.Sockets;
using FleetLock.TestKit;

namespace FleetLock.Endurance;

/// <summary>Thousands of idle connections, and clients that send their request one byte at a time: others are served as before.</summary>
internal static class IdleRun
{
    private static readonly TimeSpan Time = TimeSpan.FromSeconds(10);

    internal static async Task<bool> RunAsync(int connections, int slowSenders)
    {
        using var folder = new TemporaryDirectory();
        await using var server = await ServerProcess.StartUnreadAsync("--listen", "http://127.0.0.1:0", "--data", folder.File("idle.db"), "--group", "workers=1");
        using var client = new FleetLockClient(server.Address.ToString());
        var time = Stopwatch.StartNew();
        var before = await MeasureAsync(client);
        var idle = new List<RawClient>();
        using var done = new CancellationTokenSource();
        try
        {
            for (var i = 0; i < connections; i++)
                idle.Add(await RawClient.ConnectAsync(server.Address));
            var slow = Enumerable.Range(0, slowSenders).Select(_ => SendSlowlyAsync(server.Address, done.Token)).ToArray();
            var during = await MeasureAsync(client);
            await done.CancelAsync();
            var cut = (await Task.WhenAll(slow)).Count(isCut => isCut);

            Figures.Print("idle connections, slow senders", $"{connections}, {slowSenders} ({cut} of them cut off within {Time.TotalSeconds:0} s)");
            Figures.Print("a pair, before: 50 %, 99 %", $"{before.Median:0.00} ms, {before.High:0.00} ms");
            Figures.Print("a pair, with them: 50 %, 99 %", $"{during.Median:0.00} ms, {during.High:0.00} ms");
            Figures.Print("refused", $"{during.Refused}");
            Figures.PrintServer(server, time.Elapsed);
            return during.Refused == 0;
        }
        finally
        {
            idle.ForEach(connection => connection.Dispose());
        }
    }

    private static async Task<(double Median, double High, int Refused)> MeasureAsync(FleetLockClient client)
    {
        var (times, refused) = (new List<double>(), 0);
        for (var watch = Stopwatch.StartNew(); watch.Elapsed < Time;)
        {
            var started = watch.Elapsed;
            if (!(await client.LockAsync("workers", "honest")).IsSuccess || !(await client.UnlockAsync("workers", "honest")).IsSuccess)
                refused++;
            times.Add((watch.Elapsed - started).TotalMilliseconds);
        }

        return (Figures.Percentile(times, 50), Figures.Percentile(times, 99), refused);
    }

    /// <returns>True when the server ended the connection.</returns>
    private static async Task<bool> SendSlowlyAsync(Uri server, CancellationToken cancellationToken)
    {
        using var client = await RawClient.ConnectAsync(server);
        try
        {
            foreach (var one in RawClient.Head("POST /v1/pre-reboot", new string('x', 8000) + ": y"))
            {
                await client.SendAsync(new[] { one });
                await Task.Delay(200, cancellationToken);
            }
        }
        catch (OperationCanceledException)
        {
            return false;
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            return true;
        }

        return false;
    }
}
