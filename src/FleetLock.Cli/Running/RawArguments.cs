using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Text;

namespace FleetLock.Cli.Running;

/// <summary>This process's arguments and environment as bytes. .NET has them as text, where what is not UTF-8 is lost.</summary>
[UnsupportedOSPlatform("windows")]
internal static partial class RawArguments
{
    /// <summary>All arguments: the program, a host's own, and ours.</summary>
    internal static byte[][] Arguments { get; } =
        OperatingSystem.IsLinux() ? ReadList("/proc/self/cmdline") : ReadPointers(Marshal.ReadIntPtr(GetArguments()));

    /// <summary>The environment that this process was started with.</summary>
    internal static byte[][] Environment { get; } =
        OperatingSystem.IsLinux() ? ReadList("/proc/self/environ") : ReadPointers(Marshal.ReadIntPtr(GetEnvironment()));

    /// <summary>The value of a variable; <see langword="null"/> when there is none.</summary>
    internal static byte[]? FindVariable(string name)
    {
        var prefix = Encoding.ASCII.GetBytes(name + "=");
        return Array.Find(Environment, variable => variable.AsSpan().StartsWith(prefix))?[prefix.Length..];
    }

    private static byte[][] ReadList(string path)
    {
        var bytes = File.ReadAllBytes(path);
        List<byte[]> list = [];
        for (var start = 0; start < bytes.Length;)
        {
            var length = bytes.AsSpan(start).IndexOf((byte)0);
            var end = length < 0 ? bytes.Length : start + length;
            list.Add(bytes[start..end]);
            start = end + 1;
        }

        return [.. list];
    }

    private static byte[][] ReadPointers(nint pointers)
    {
        List<byte[]> list = [];
        for (var i = 0; Marshal.ReadIntPtr(pointers, i * nint.Size) is not 0 and var text; i++)
        {
            var length = 0;
            while (Marshal.ReadByte(text, length) != 0)
                length++;
            var bytes = new byte[length];
            Marshal.Copy(text, bytes, 0, length);
            list.Add(bytes);
        }

        return [.. list];
    }

    [LibraryImport("libc", EntryPoint = "_NSGetArgv")]
    private static partial nint GetArguments();

    [LibraryImport("libc", EntryPoint = "_NSGetEnviron")]
    private static partial nint GetEnvironment();
}
