using System.Globalization;
using FleetLock.TestKit;

namespace FleetLock.Endurance;

/// <summary>What the runs print.</summary>
internal static class Figures
{
    /// <summary>Prints one figure.</summary>
    internal static void Print(string name, FormattableString value) => Console.WriteLine($"{name,-48} {value.ToString(CultureInfo.InvariantCulture)}");

    /// <summary>A percentile of times, in milliseconds.</summary>
    internal static double Percentile(IEnumerable<double> milliseconds, double percent)
    {
        var sorted = milliseconds.Order().ToList();
        return sorted.Count == 0 ? 0 : sorted[Math.Min(sorted.Count - 1, (int)(sorted.Count * percent / 100))];
    }

    /// <summary>Prints what a server process has used.</summary>
    internal static void PrintServer(ServerProcess server, TimeSpan time)
    {
        var (processor, memory, most) = server.ReadUsage();
        Print("server: CPU", $"{processor.TotalSeconds:0.0} s, {100 * processor / time:0} % of one processor");
        Print("server: memory now and at most", $"{memory / 1048576.0:0} MiB, {most / 1048576.0:0} MiB");
    }
}
