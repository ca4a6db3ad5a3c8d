using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace FleetLock.Cli.Running;

/// <summary>
/// The process that becomes the command of a run: it waits until the run has noted it, and executes the command then, as the same
/// process. .NET has no call between fork and exec, so the run starts this program once more. It starts quickly, because it needs
/// neither the parser nor the console.
/// </summary>
[UnsupportedOSPlatform("windows")]
internal static unsafe partial class CommandStage
{
    /// <summary>The first argument of a stage; the descriptors of its two pipes and its run's process id follow.</summary>
    internal const string Word = "--command-stage";

    /// <summary>What the stage writes when it waits for its message.</summary>
    internal const byte Ready = (byte)'R';

    // The message: the signals to ignore, the soft limit of open files, the number of arguments and of variables, the length of the
    // strings, and the strings: the file to execute, the arguments and the variables, each with a zero at its end.
    private const int HeaderLength = 28;
    private const nint Default = 0;
    private const nint Ignore = 1;

    /// <summary>Writes the message.</summary>
    /// <param name="file">The file to execute.</param>
    /// <param name="arguments">The command's arguments, the program first.</param>
    /// <param name="environment">Its variables.</param>
    /// <param name="ignored">The signals to ignore.</param>
    /// <param name="softLimit">The soft limit of open files.</param>
    /// <returns>The bytes for the stage's pipe.</returns>
    internal static byte[] WriteMessage(byte[] file, byte[][] arguments, byte[][] environment, ulong ignored, ulong softLimit)
    {
        byte[][] strings = [file, .. arguments, .. environment];
        var length = strings.Sum(text => text.Length + 1);
        var message = new byte[HeaderLength + length];
        BinaryPrimitives.WriteUInt64LittleEndian(message, ignored);
        BinaryPrimitives.WriteUInt64LittleEndian(message.AsSpan(8), softLimit);
        BinaryPrimitives.WriteInt32LittleEndian(message.AsSpan(16), arguments.Length);
        BinaryPrimitives.WriteInt32LittleEndian(message.AsSpan(20), environment.Length);
        BinaryPrimitives.WriteInt32LittleEndian(message.AsSpan(24), length);
        var position = HeaderLength;
        foreach (var text in strings)
        {
            text.CopyTo(message, position);
            position += text.Length + 1;
        }

        return message;
    }

    /// <summary>Becomes the command.</summary>
    /// <param name="arguments">The arguments of this process.</param>
    /// <returns>Only when it did not.</returns>
    internal static int Run(string[] arguments)
    {
        if (arguments is not [_, var message, var status, var run]
            || !TryParse(message, out var messageDescriptor)
            || !TryParse(status, out var statusDescriptor)
            || !TryParse(run, out var runId))
        {
            return ExitCodes.Usage;
        }

        var ready = Ready;
        var closeOnExecute = OperatingSystem.IsMacOS() ? 0x20006601u : 0x5451u;
        if (Control(statusDescriptor, closeOnExecute) != 0 || Write(statusDescriptor, &ready, 1) != 1)
            return ExitCodes.Usage;

        var header = stackalloc byte[HeaderLength];
        if (!TryReadAll(messageDescriptor, header, HeaderLength))
            return ExitCodes.Interrupted;
        var length = Int32(header, 24);
        var strings = (byte*)NativeMemory.Alloc((nuint)length);
        if (!TryReadAll(messageDescriptor, strings, length))
            return ExitCodes.Interrupted;
        _ = Close(messageDescriptor);

        var file = strings;
        strings += Length(strings) + 1;
        var argumentList = ReadList(ref strings, Int32(header, 16));
        var environment = ReadList(ref strings, Int32(header, 20));
        SetSoftLimit(BinaryPrimitives.ReadUInt64LittleEndian(new ReadOnlySpan<byte>(header + 8, 8)));

        // A run that was killed may have sent its message, and nobody would release the slot after the command.
        if (GetParent() != runId)
            return ExitCodes.Interrupted;
        SetSignals(BinaryPrimitives.ReadUInt64LittleEndian(new ReadOnlySpan<byte>(header, 8)));
        _ = Execute(file, argumentList, environment);
        var error = Marshal.GetLastPInvokeError();
        _ = Write(statusDescriptor, (byte*)&error, sizeof(int));
        return ExitCodes.CannotExecute;
    }

    private static bool TryParse(string text, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    private static int Int32(byte* header, int position) =>
        BinaryPrimitives.ReadInt32LittleEndian(new ReadOnlySpan<byte>(header + position, sizeof(int)));

    private static bool TryReadAll(int descriptor, byte* buffer, int length)
    {
        while (length > 0)
        {
            var count = (int)Read(descriptor, buffer, (nuint)length);
            if (count <= 0)
                return false;
            buffer += count;
            length -= count;
        }

        return true;
    }

    private static byte** ReadList(ref byte* strings, int count)
    {
        var list = (byte**)NativeMemory.Alloc((nuint)count + 1, (nuint)sizeof(byte*));
        for (var i = 0; i < count; i++)
        {
            list[i] = strings;
            strings += Length(strings) + 1;
        }

        list[count] = null;
        return list;
    }

    private static int Length(byte* text) => MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text).Length;

    private static void SetSoftLimit(ulong soft)
    {
        if (soft == CallerState.Unchanged)
            return;
        const int openFiles = 7;
        var limits = stackalloc nuint[2];
        if (GetLimits(openFiles, limits) != 0)
            return;
        limits[0] = nuint.Min((nuint)soft, limits[1]);
        _ = SetLimits(openFiles, limits);
    }

    /// <summary>The system resets handled signals itself, but not ignored ones. The runtime ignores standard signals only.</summary>
    private static void SetSignals(ulong ignored)
    {
        const int standard = 31;
        const int last = 64;
        for (var signal = 1; signal <= last; signal++)
        {
            if ((ignored & (1UL << (signal - 1))) != 0)
                _ = SetHandler(signal, Ignore);
            else if (signal <= standard)
                _ = SetHandler(signal, Default);
        }
    }

    [LibraryImport("libc", EntryPoint = "read")]
    private static partial nint Read(int descriptor, byte* buffer, nuint length);

    [LibraryImport("libc", EntryPoint = "write")]
    private static partial nint Write(int descriptor, byte* buffer, nuint length);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);

    // FIOCLEX needs no third argument, as fcntl does: not every platform passes one to a variadic function as to any other.
    [LibraryImport("libc", EntryPoint = "ioctl")]
    private static partial int Control(int descriptor, nuint request);

    [LibraryImport("libc", EntryPoint = "getppid")]
    private static partial int GetParent();

    [LibraryImport("libc", EntryPoint = "getrlimit")]
    private static partial int GetLimits(int resource, nuint* limits);

    [LibraryImport("libc", EntryPoint = "setrlimit")]
    private static partial int SetLimits(int resource, nuint* limits);

    [LibraryImport("libc", EntryPoint = "signal")]
    private static partial nint SetHandler(int signal, nint handler);

    [LibraryImport("libc", EntryPoint = "execve", SetLastError = true)]
    private static partial int Execute(byte* file, byte** arguments, byte** environment);
}
