using System.Globalization;

namespace FleetLock.Cli.Commands;

/// <summary>Groups as people read them: a line for each holder, and one for each group that has none. Also a holder by itself.</summary>
internal static class GroupTable
{
    internal static void Write(IEnumerable<FleetGroup> groups)
    {
        WriteRow("GROUP", "SLOTS", "FREE", "WAITING", "HOLDER", "SINCE (UTC)", "FROM");
        foreach (var group in groups)
        {
            var name = TerminalText.Clean(group.Group);
            if (group.Fault is { } fault)
                WriteRow(name, "?", "?", "?", "? " + TerminalText.Clean(fault), "", "");
            else if (group.Holders.Count == 0)
                WriteRow(name, group.Slots, group.Free, group.Waiting, "-", "", "");
            for (var i = 0; i < group.Holders.Count; i++)
            {
                // The group's own columns stand on its first line only.
                var holder = group.Holders[i];
                var (id, since, from) = (TerminalText.Clean(holder.Id), Time(holder.Since), TerminalText.Clean(holder.From ?? "unknown"));
                if (i == 0)
                    WriteRow(name, group.Slots, group.Free, group.Waiting, id, since, from);
                else
                    WriteRow("", "", "", "", id, since, from);
            }
        }
    }

    /// <summary>A holder whose slot was freed: what its group has left was not asked for.</summary>
    internal static void Write(FleetHolder holder)
    {
        WriteRow("GROUP", "HOLDER", "SINCE (UTC)", "FROM");
        WriteRow(TerminalText.Clean(holder.Group ?? ""), TerminalText.Clean(holder.Id), Time(holder.Since), TerminalText.Clean(holder.From ?? "unknown"));
    }

    private static string Time(DateTimeOffset? time) => time?.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) ?? "unknown";

    private static void WriteRow(string group, string holder, string since, string from) =>
        Console.Out.WriteLine($"{group,-24} {holder,-40} {since,-19}  {from}".TrimEnd());

    private static void WriteRow(string group, object slots, object free, object waiting, string holder, string since, string from) =>
        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{group,-24} {slots,6} {free,6} {waiting,7}  {holder,-40} {since,-19}  {from}").TrimEnd());
}
