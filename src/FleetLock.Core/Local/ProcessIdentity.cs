using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Serialization;
#if NET
using System.Runtime.InteropServices;
#endif

namespace FleetLock;

/// <summary>
/// One process of this machine. Process ids are given again; with the time that it began, and the boot that this time counts from, they are
/// not.
/// </summary>
/// <param name="Id">The process id.</param>
/// <param name="Started">When it began: on Linux in ticks since the boot, elsewhere the time of day in ticks of 100 ns.</param>
/// <param name="BootId">The boot, on Linux; <see langword="null"/> elsewhere.</param>
public sealed partial record ProcessIdentity(
    [property: JsonPropertyName("id")] int Id,
    [property: JsonPropertyName("started")] string Started,
    [property: JsonPropertyName("boot_id")] string? BootId)
{
    private const string ProcessFolder = "/proc";

    // /proc/PID/stat, counted from the state, which follows the name: the name alone may have spaces and parentheses.
    private const int State = 0;
    private const int Parent = 1;
    private const int StartTime = 19;

    private static readonly bool IsLinux = Path.DirectorySeparatorChar == '/' && File.Exists("/proc/self/stat");
    private static readonly string? CurrentBootId = ReadBootId();

    /// <summary>This process.</summary>
    public static ProcessIdentity Current { get; } = FindCurrent();

    /// <summary>Whether it runs. A process that is gone and was not waited for does not.</summary>
    [JsonIgnore]
    public bool IsAlive => IsOfThisBoot && (Find(Id) is { } found ? found.Started == Started : IsHidden(Id));

    /// <summary>A boot that is not known, as in a sandbox without /proc/sys, may be this one.</summary>
    private bool IsOfThisBoot => BootId is null || CurrentBootId is null || BootId == CurrentBootId;

    /// <summary>The process that has an id now.</summary>
    /// <param name="id">The process id.</param>
    /// <returns>The process; <see langword="null"/> when there is none.</returns>
    public static ProcessIdentity? Find(int id)
    {
        if (IsLinux)
        {
            return ReadStatus(id) is { } status && status[State] is not ("Z" or "X")
                ? new ProcessIdentity(id, status[StartTime], CurrentBootId)
                : null;
        }

        try
        {
            using var process = Process.GetProcessById(id);
            var started = process.StartTime.ToUniversalTime().Ticks.ToString(CultureInfo.InvariantCulture);
            return process.HasExited ? null : new ProcessIdentity(id, started, null);
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }

    /// <summary>Whether it has started the current process, directly or not. Only Linux tells the parents.</summary>
    internal bool IsAncestor()
    {
        var id = Current.Id;
        while (IsLinux
            && id > 1
            && ReadStatus(id) is { } status
            && int.TryParse(status[Parent], NumberStyles.None, CultureInfo.InvariantCulture, out id))
        {
            if (id == Id)
                return IsAlive;
        }

        return false;
    }

    /// <summary>The process for people: its id, and its name if that can be found.</summary>
    internal string Describe()
    {
        try
        {
            using var process = Process.GetProcessById(Id);
            return FormattableString.Invariant($"process {Id} ({TerminalText.Clean(process.ProcessName)})");
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException)
        {
            return FormattableString.Invariant($"process {Id}");
        }
    }

    private static string? ReadBootId()
    {
        try
        {
            return IsLinux ? File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim() : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static ProcessIdentity FindCurrent()
    {
        using var process = Process.GetCurrentProcess();
        return Find(process.Id)!;
    }

    private static string[]? ReadStatus(int id)
    {
        try
        {
            var text = File.ReadAllText(FormattableString.Invariant($"{ProcessFolder}/{id}/stat"));
            return text.Substring(text.LastIndexOf(')') + 2).Split(' ');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

#if NET
    /// <summary>
    /// Whether another user's process has this id, which the system shows to nobody else: it may be the one that is meant.
    /// </summary>
    private static bool IsHidden(int id)
    {
        const int notPermitted = 1;
        return !OperatingSystem.IsWindows() && Kill(id, 0) != 0 && Marshal.GetLastPInvokeError() == notPermitted;
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int processId, int signal);
#else
    private static bool IsHidden(int _) => false;
#endif
}
