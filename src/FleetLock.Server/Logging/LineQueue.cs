using System.Buffers;

namespace FleetLock.Server;

/// <summary>
/// Lines on their way to a stream that may be slow, written by one thread. What comes while it writes goes out with the next write, so many lines
/// cost few writes; a line that comes when there is nothing to do is written at once. The queue is bounded and nobody waits for it: when it is full,
/// lines are lost and counted, those of warnings and errors last of all, and the log says how many.
/// </summary>
internal sealed class LineQueue : IDisposable
{
    /// <summary>What waits at most: 1 MiB.</summary>
    internal const int Capacity = 1024 * 1024;

    /// <summary>What is kept beside that for the important lines.</summary>
    internal const int Reserve = Capacity / 2;

    // A buffer that one burst has made larger than this is not kept.
    private const int UsualSize = 256 * 1024;

    /// <summary>The least time between two writes: under load, what comes in it goes out together.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);

    private static readonly TimeSpan DefaultEndTimeout = TimeSpan.FromSeconds(2);

    // Not a Lock: the writer waits on it.
    private readonly object _gate = new();
    private readonly Stream _output;
    private readonly Action<IBufferWriter<byte>, long> _tellLost;
    private readonly TimeSpan _endTimeout;
    private readonly Thread _writer;
    private ArrayBufferWriter<byte> _pending = new();
    private ArrayBufferWriter<byte> _writing = new();
    private long _lost;
    private bool _isIdle;
    private bool _isStopping;
    private bool _hasEnded;

    /// <summary>Begins to write.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="tellLost">Writes the line that tells how many lines are lost.</param>
    /// <param name="endTimeout">How long the end waits for a stream that nobody reads; two seconds if not given.</param>
    internal LineQueue(Stream output, Action<IBufferWriter<byte>, long> tellLost, TimeSpan? endTimeout = null)
    {
        _endTimeout = endTimeout ?? DefaultEndTimeout;
        _output = output;
        _tellLost = tellLost;
        _writer = new Thread(Run) { Name = "Log", IsBackground = true };
        _writer.Start();
    }

    /// <summary>Takes a line.</summary>
    /// <param name="line">The line, with its end.</param>
    /// <param name="isImportant">Whether it is lost only after those that are not.</param>
    internal void Add(ReadOnlySpan<byte> line, bool isImportant)
    {
        lock (_gate)
        {
            if (_hasEnded)
            {
                TryWrite(line);
                return;
            }

            if (_pending.WrittenCount + line.Length > (isImportant ? Capacity + Reserve : Capacity))
            {
                _lost++;
                return;
            }

            _pending.Write(line);
            if (_isIdle)
                Monitor.Pulse(_gate);
        }
    }

    /// <summary>Writes what has queued up. It can be repeated.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _isStopping = true;
            Monitor.Pulse(_gate);
        }

        _writer.Join(_endTimeout);
    }

    private void Run()
    {
        while (TakePending())
        {
            TryWrite(_writing.WrittenSpan);
            lock (_gate)
            {
                if (!_isStopping)
                    Monitor.Wait(_gate, Pause);
            }
        }
    }

    /// <returns>False when there is nothing left, and nothing more to come.</returns>
    private bool TakePending()
    {
        lock (_gate)
        {
            while (_pending.WrittenCount == 0 && !_isStopping)
            {
                _isIdle = true;
                Monitor.Wait(_gate);
                _isIdle = false;
            }

            if (_pending.WrittenCount == 0 && _lost == 0)
            {
                _hasEnded = true;
                return false;
            }

            (_pending, _writing) = (_writing.Capacity > UsualSize ? new ArrayBufferWriter<byte>() : _writing, _pending);
            _pending.ResetWrittenCount();
            if (_lost > 0)
                _tellLost(_writing, _lost);
            _lost = 0;
            return true;
        }
    }

    private void TryWrite(ReadOnlySpan<byte> lines)
    {
        try
        {
            _output.Write(lines);
            _output.Flush();
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or NotSupportedException)
        {
            // There is nowhere left to tell it; a later write may succeed.
            lock (_gate)
                _lost += _isStopping ? 0 : lines.Count((byte)'\n');
        }
    }
}
