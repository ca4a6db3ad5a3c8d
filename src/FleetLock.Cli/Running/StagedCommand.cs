using System.Diagnostics;
using System.Globalization;
using System.IO.Pipes;
using System.Runtime.Versioning;
using System.Text;

namespace FleetLock.Cli.Running;

/// <summary>A command that has a process already, and executes only when it is let: see <see cref="CommandStage"/>.</summary>
[UnsupportedOSPlatform("windows")]
internal sealed class StagedCommand : IDisposable
{
    private readonly AnonymousPipeServerStream _messages;
    private readonly AnonymousPipeServerStream _status;

    private StagedCommand(Process process, AnonymousPipeServerStream messages, AnonymousPipeServerStream status)
    {
        Process = process;
        _messages = messages;
        _status = status;
    }

    /// <summary>The process.</summary>
    internal Process Process { get; }

    /// <summary>Starts the process, which waits.</summary>
    /// <returns>The command to be.</returns>
    /// <exception cref="System.ComponentModel.Win32Exception">The system starts no process.</exception>
    internal static StagedCommand Start()
    {
        AnonymousPipeServerStream? messages = null;
        AnonymousPipeServerStream? status = null;
        try
        {
            messages = new AnonymousPipeServerStream(PipeDirection.Out, HandleInheritability.Inheritable);
            status = new AnonymousPipeServerStream(PipeDirection.In, HandleInheritability.Inheritable);
            var start = new ProcessStartInfo(Environment.ProcessPath!) { UseShellExecute = false };
            foreach (var word in HostArguments())
                start.ArgumentList.Add(word);
            start.ArgumentList.Add(CommandStage.Word);
            start.ArgumentList.Add(messages.GetClientHandleAsString());
            start.ArgumentList.Add(status.GetClientHandleAsString());
            start.ArgumentList.Add(Environment.ProcessId.ToString(CultureInfo.InvariantCulture));

            // The socket for debuggers would stay in the folder for temporary files when the command takes the runtime's place.
            start.Environment["DOTNET_EnableDiagnostics"] = "0";
            var process = Process.Start(start)!;
            messages.DisposeLocalCopyOfClientHandle();
            status.DisposeLocalCopyOfClientHandle();
            var staged = new StagedCommand(process, messages, status);
            (messages, status) = (null, null);
            return staged;
        }
        finally
        {
            messages?.Dispose();
            status?.Dispose();
        }
    }

    /// <summary>Lets it execute.</summary>
    /// <param name="file">The file to execute.</param>
    /// <param name="arguments">The command's arguments, the program first.</param>
    /// <param name="environment">Its variables.</param>
    /// <returns>0 when it executes; the system's error number when it cannot; <see langword="null"/> when it has ended before.</returns>
    internal async Task<int?> ExecuteAsync(byte[] file, byte[][] arguments, byte[][] environment)
    {
        var answer = new byte[1 + sizeof(int)];
        if (await _status.ReadAtLeastAsync(answer, 1, throwOnEndOfStream: false) == 0)
            return null;
        var (ignored, softLimit) = (CallerState.ReadIgnoredSignals(), CallerState.ReadSoftLimit());
        try
        {
            await _messages.WriteAsync(CommandStage.WriteMessage(file, arguments, environment, ignored, softLimit));
        }
        catch (IOException)
        {
            return null;
        }

        var count = await _status.ReadAtLeastAsync(answer.AsMemory(1), sizeof(int), throwOnEndOfStream: false);
        return count == sizeof(int) ? BitConverter.ToInt32(answer, 1) : 0;
    }

    public void Dispose()
    {
        _messages.Dispose();
        _status.Dispose();
        Process.Dispose();
    }

    /// <summary>The arguments of the <c>dotnet</c> that runs this program, if one does: the stage is to run in the same way.</summary>
    private static IEnumerable<string> HostArguments()
    {
        var own = Environment.GetCommandLineArgs().Length - 1;
        return RawArguments.Arguments[1..^own].Select(Encoding.UTF8.GetString);
    }
}
