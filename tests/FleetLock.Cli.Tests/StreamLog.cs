using System.Text;
using FleetLock.TestKit;

namespace FleetLock.Cli.Tests;

/// <summary>What has come on a stream so far, and the wait for more.</summary>
internal sealed class StreamLog
{
    private readonly List<byte> _bytes = [];
    private readonly StreamLog? _beside;
    private TaskCompletionSource _news = NewNews();

    /// <summary>Begins to read.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="beside">A stream that may say why nothing more comes on this one.</param>
    internal StreamLog(Stream stream, StreamLog? beside = null)
    {
        _beside = beside;

        // A thread of its own: reading a pipe blocks one, and the pool has few.
        Ended = Task.Factory.StartNew(() => Read(stream), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>Ends when all that can write to the stream have closed it: the process, and whoever inherited it.</summary>
    internal Task Ended { get; }

    internal byte[] Bytes
    {
        get
        {
            lock (_bytes)
                return [.. _bytes];
        }
    }

    internal string Text => Encoding.UTF8.GetString(Bytes);

    /// <summary>The lines of a text, without what ends them.</summary>
    internal static string[] Lines(string text) => text.Replace("\r\n", "\n", StringComparison.Ordinal).Split('\n')[..^(text.EndsWith('\n') || text.Length == 0 ? 1 : 0)];

    /// <summary>Waits for a whole line that has this text in it.</summary>
    /// <returns>The line.</returns>
    internal async Task<string> LineAsync(string part)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var late = Task.Delay(TestTimeout.Hang, limit.Token);
        for (; ; )
        {
            Task news;
            lock (_bytes)
                news = _news.Task;

            // Looked at in this order, so that the last bytes are not missed.
            var hasEnded = Ended.IsCompleted || late.IsCompleted;
            var text = Text;
            if (Lines(text[..(text.LastIndexOf('\n') + 1)]).FirstOrDefault(line => line.Contains(part, StringComparison.Ordinal)) is { } found)
            {
                await limit.CancelAsync();
                return found;
            }

            Assert.False(hasEnded, $"No line has '{part}':\n{text}\n{_beside?.Text}");
            await Task.WhenAny(news, Ended, late);
        }
    }

    private void Read(Stream stream)
    {
        var buffer = new byte[16 * 1024];
        while (stream.Read(buffer) is var read and > 0)
        {
            TaskCompletionSource news;
            lock (_bytes)
            {
                _bytes.AddRange(buffer.AsSpan(0, read));
                (news, _news) = (_news, NewNews());
            }

            news.SetResult();
        }
    }

    private static TaskCompletionSource NewNews() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
