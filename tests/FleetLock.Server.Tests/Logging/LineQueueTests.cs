using System.Collections.Concurrent;
using System.Text;
using FleetLock.TestKit;

namespace FleetLock.Server.Tests;

/// <summary>Lines on their way to a stream that may be slow or broken.</summary>
[Trait("Lane", "Fast")]
public sealed class LineQueueTests : IDisposable
{
    private static readonly byte[] Big = [.. Enumerable.Repeat((byte)'x', 64 * 1024 - 1), (byte)'\n'];

    private readonly GatedStream _stream = new();
    private readonly LineQueue _queue;

    public LineQueueTests() => _queue = Create(TestTimeout.Hang);

    public void Dispose()
    {
        _stream.Open();
        _queue.Dispose();
        _stream.Dispose();
    }

    [Fact]
    public async Task A_line_is_written_at_once_when_there_is_nothing_to_do()
    {
        _stream.Open();

        _queue.Add("one\n"u8, isImportant: false);

        Assert.Equal("one\n", await _stream.NextAsync());
    }

    [Fact]
    public async Task What_comes_during_a_write_goes_out_with_the_next_in_order()
    {
        _queue.Add("first\n"u8, isImportant: false);
        await _stream.Begun;
        for (var i = 0; i < 1000; i++)
            _queue.Add(Encoding.UTF8.GetBytes($"{i}\n"), isImportant: false);
        _stream.Open();

        Assert.Equal("first\n", await _stream.NextAsync());
        Assert.Equal(string.Concat(Enumerable.Range(0, 1000).Select(i => $"{i}\n")), await _stream.NextAsync());
    }

    [Fact]
    public async Task A_stream_that_nobody_reads_holds_nobody_up_and_the_lost_lines_are_counted()
    {
        _queue.Add("first\n"u8, isImportant: false);
        await _stream.Begun;
        var fit = LineQueue.Capacity / Big.Length;
        for (var i = 0; i < fit + 5; i++)
            _queue.Add(Big, isImportant: false);
        _stream.Open();

        Assert.Equal("first\n", await _stream.NextAsync());
        var rest = await _stream.NextAsync();
        Assert.Equal(fit + 1, rest.Count(c => c == '\n'));
        Assert.EndsWith("\nlost 5\n", rest, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Important_lines_are_lost_last()
    {
        _queue.Add("first\n"u8, isImportant: false);
        await _stream.Begun;
        for (var i = 0; i < LineQueue.Capacity / Big.Length; i++)
            _queue.Add(Big, isImportant: false);
        _queue.Add("information\n"u8, isImportant: false);
        _queue.Add("error\n"u8, isImportant: true);
        _stream.Open();

        Assert.Equal("first\n", await _stream.NextAsync());
        Assert.EndsWith("\nerror\nlost 1\n", await _stream.NextAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_stays_behind_at_the_end_and_a_late_line_is_written_too()
    {
        _stream.Open();
        for (var i = 0; i < 100; i++)
            _queue.Add(Encoding.UTF8.GetBytes($"{i}\n"), isImportant: false);
        _queue.Dispose();
        Assert.Equal(string.Concat(Enumerable.Range(0, 100).Select(i => $"{i}\n")), _stream.Text);

        _queue.Add("late\n"u8, isImportant: false);

        Assert.EndsWith("99\nlate\n", _stream.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stream_that_fails_loses_its_lines_and_the_next_write_tells_of_them()
    {
        _stream.FailNext();
        _stream.Open();
        _queue.Add("one\n"u8, isImportant: false);
        await _stream.Failed;
        _queue.Add("two\n"u8, isImportant: false);

        Assert.Equal("two\nlost 1\n", await _stream.NextAsync());
    }

    [Fact]
    public void The_end_does_not_wait_for_ever()
    {
        var queue = Create(TimeSpan.FromMilliseconds(10));
        queue.Add("first\n"u8, isImportant: false);

        queue.Dispose();

        Assert.Equal("", _stream.Text);
    }

    private LineQueue Create(TimeSpan endTimeout) => new(_stream, (line, count) => Encoding.UTF8.GetBytes($"lost {count}\n", line), endTimeout);

    /// <summary>A stream whose writes wait until it is opened.</summary>
    private sealed class GatedStream : MemoryStream
    {
        private readonly ManualResetEventSlim _open = new();
        private readonly SemaphoreSlim _written = new(0);
        private readonly ConcurrentQueue<string> _writes = new();
        private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private volatile bool _failsNext;

        internal Task Begun => _begun.Task;

        internal Task Failed => _failed.Task;

        internal string Text => string.Concat(_writes);

        internal void Open() => _open.Set();

        internal void FailNext() => _failsNext = true;

        internal async Task<string> NextAsync()
        {
            Assert.True(await _written.WaitAsync(TestTimeout.Hang, TestContext.Current.CancellationToken));
            Assert.True(_writes.TryDequeue(out var write));
            return write;
        }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            _begun.TrySetResult();
            _open.Wait(TestContext.Current.CancellationToken);
            if (_failsNext)
            {
                _failsNext = false;
                _failed.SetResult();
                throw new IOException("the pipe is broken");
            }

            _writes.Enqueue(Encoding.UTF8.GetString(buffer));
            _written.Release();
        }
    }
}
