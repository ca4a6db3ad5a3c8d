using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace FleetLock.Server;

/// <summary>
/// The store's sequence number as the data file itself has it, without the write-ahead log. It grows when the log is written to the file. When it
/// goes back, somebody has copied an older file over the data file, and SQLite would go on with the copy and a log that is not the copy's.
/// </summary>
/// <remarks>It reads through SQLite's own descriptor: closing another one of the same file would lose SQLite's locks.</remarks>
internal sealed partial class UnloggedSequence
{
    private const byte IndexLeaf = 0x0A;
    private const byte IndexInterior = 0x02;
    private const int Attempts = 3;

    private readonly SqliteConnection _connection;
    private readonly byte[] _page;
    private long _root;
    private long? _seen;
    private bool _wentBack;

    internal UnloggedSequence(SqliteConnection connection)
    {
        _connection = connection;
        _page = new byte[Scalar("PRAGMA page_size")];
        _root = FindRoot();
    }

    /// <summary>Whether the number has gone back since the file was opened, or is not there any more.</summary>
    internal bool HasGoneBack()
    {
        if (_wentBack || !IsSuspect())
            return _wentBack;

        // VACUUM moves the table.
        var root = FindRoot();
        if (root != _root)
        {
            _root = root;
            _seen = null;
            return false;
        }

        // A page that is just being written may be read in halves.
        for (var attempt = 1; attempt < Attempts; attempt++)
        {
            if (!IsSuspect())
                return false;
        }

        return _wentBack = true;
    }

    /// <summary>Finds the sequence number in a page of the store's table.</summary>
    /// <param name="page">The page.</param>
    /// <returns>The number; <see langword="null"/> when the page does not have it.</returns>
    internal static long? Parse(ReadOnlySpan<byte> page)
    {
        try
        {
            if (page[0] != IndexLeaf)
                return null;
            int cells = BinaryPrimitives.ReadUInt16BigEndian(page[3..]);
            for (var cell = 0; cell < cells; cell++)
            {
                if (ParseCell(page[BinaryPrimitives.ReadUInt16BigEndian(page[(8 + (2 * cell))..])..]) is { } sequence)
                    return sequence;
            }
        }
        catch (Exception e) when (e is ArgumentOutOfRangeException or IndexOutOfRangeException)
        {
            // Not a page of that table.
        }

        return null;
    }

    private bool IsSuspect()
    {
        var now = Read() ? Parse(_page) : null;

        // So many processes have the file open that the number is a page further down.
        if (now is null && _page[0] == IndexInterior)
            return false;
        if (now < _seen || (now is null && _seen is not null))
            return true;
        _seen = now;
        return false;
    }

    private static long? ParseCell(ReadOnlySpan<byte> cell)
    {
        ReadNumber(ref cell);
        var record = cell;
        var headerLength = (int)ReadNumber(ref cell);
        var (nameType, valueType) = (ReadNumber(ref cell), ReadNumber(ref cell));
        var nameLength = (int)(nameType - 13) / 2;
        if (nameLength != "sequence"u8.Length || !record.Slice(headerLength, nameLength).SequenceEqual("sequence"u8))
            return null;
        var value = record[(headerLength + nameLength)..];
        return valueType switch
        {
            >= 1 and <= 4 => ReadInteger(value[..(int)valueType]),
            5 => ReadInteger(value[..6]),
            6 => ReadInteger(value[..8]),
            8 => 0,
            9 => 1,
            _ => null,
        };
    }

    private static long ReadInteger(ReadOnlySpan<byte> bytes)
    {
        long value = (sbyte)bytes[0];
        foreach (var next in bytes[1..])
            value = (value << 8) | next;
        return value;
    }

    /// <summary>Reads a number of SQLite's variable length; none here has nine bytes.</summary>
    private static long ReadNumber(ref ReadOnlySpan<byte> bytes)
    {
        long value = 0;
        byte next;
        do
        {
            next = bytes[0];
            bytes = bytes[1..];
            value = (value << 7) | (byte)(next & 0x7F);
        }
        while (next >= 0x80);
        return value;
    }

    private long FindRoot() => Scalar("SELECT rootpage FROM sqlite_master WHERE name = 'store'");

    private long Scalar(string sql)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = sql;
        return Convert.ToInt64(command.ExecuteScalar(), CultureInfo.InvariantCulture);
    }

    private unsafe bool Read()
    {
        const int filePointer = 7;
        Array.Clear(_page);
        if (FileControl(_connection.Handle!, "main", filePointer, out var file) != raw.SQLITE_OK)
            return false;

        // struct sqlite3_file begins with its methods: { int iVersion; xClose; xRead; … }.
        var methods = *(nint**)file;
        var read = (delegate* unmanaged[Cdecl]<nint, byte*, int, long, int>)methods[2];
        fixed (byte* start = _page)
            return read(file, start, _page.Length, (_root - 1) * _page.Length) == raw.SQLITE_OK;
    }

    [LibraryImport("e_sqlite3", EntryPoint = "sqlite3_file_control", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int FileControl(sqlite3 database, string name, int operation, out nint file);
}
