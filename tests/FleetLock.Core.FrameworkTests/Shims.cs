using System.Diagnostics;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

// What the tests use of newer .NET and .NET Framework lacks, so that they compile here word for word. Nothing of it reaches the code under test.
namespace System.Threading.Tasks
{
    internal sealed class TaskCompletionSource(TaskCreationOptions options = TaskCreationOptions.None)
    {
        private readonly TaskCompletionSource<bool> _source = new(options);

        public Task Task => _source.Task;

        public void SetResult() => _source.SetResult(true);

        public bool TrySetResult() => _source.TrySetResult(true);
    }
}

namespace System.Net.Security
{
    public sealed class SslServerAuthenticationOptions
    {
        public X509Certificate2? ServerCertificate { get; set; }
    }
}

namespace System.Runtime.CompilerServices
{
    internal static class RuntimeHelpers
    {
        public static T[] GetSubArray<T>(T[] array, Range range)
        {
            var (offset, length) = range.GetOffsetAndLength(array.Length);
            var part = new T[length];
            Array.Copy(array, offset, part, 0, length);
            return part;
        }
    }
}

namespace FleetLock
{
    internal static class Shims
    {
        extension(Array)
        {
            public static void Fill<T>(T[] array, T value)
            {
                for (var i = 0; i < array.Length; i++)
                    array[i] = value;
            }

            public static void Clear(Array array) => Array.Clear(array, 0, array.Length);
        }

        extension(Convert)
        {
            public static byte[] FromHexString(string hex) => [.. Enumerable.Range(0, hex.Length / 2).Select(i => Convert.ToByte(hex.Substring(2 * i, 2), 16))];

            public static string ToHexStringLower(byte[] bytes) => string.Concat(bytes.Select(one => one.ToString("x2", null)));
        }

        extension(Directory)
        {
            public static DirectoryInfo CreateTempSubdirectory(string prefix) =>
                Directory.CreateDirectory(Path.Combine(Path.GetTempPath(), prefix + Path.GetRandomFileName()));
        }

        extension(Encoding)
        {
            public static Encoding Latin1 => Encoding.GetEncoding(28591);
        }

        extension(Encoding encoding)
        {
            public string GetString(ReadOnlySpan<byte> bytes) => encoding.GetString(bytes.ToArray());
        }

        extension(Enum)
        {
            public static T[] GetValues<T>() => (T[])Enum.GetValues(typeof(T));
        }

        extension(Environment)
        {
            public static int ProcessId => Process.GetCurrentProcess().Id;
        }

        extension(HMACSHA256)
        {
            public static byte[] HashData(byte[] key, byte[] source)
            {
                using var hash = new HMACSHA256(key);
                return hash.ComputeHash(source);
            }
        }

        extension(SHA256)
        {
            public static byte[] HashData(byte[] source)
            {
                using var hash = SHA256.Create();
                return hash.ComputeHash(source);
            }
        }

        extension(OperatingSystem)
        {
            public static bool IsWindows() => Path.DirectorySeparatorChar == '\\';

            public static bool IsLinux() => Directory.Exists("/proc/self");

            public static bool IsMacOS() => !IsWindows() && !IsLinux();
        }

        extension(string)
        {
            public static string Create(IFormatProvider provider, FormattableString text) => text.ToString(provider);

            public static string Join<T>(char separator, IEnumerable<T> parts) => string.Join(separator.ToString(), parts);
        }

        extension(string text)
        {
            public string[] Split(string separator) => text.Split([separator], StringSplitOptions.None);

            public string[] Split(char separator, StringSplitOptions options) => text.Split([separator], options);

            public string Replace(string old, string replacement, StringComparison comparison) =>
                comparison == StringComparison.Ordinal ? text.Replace(old, replacement) : throw new NotSupportedException();
        }

        extension(int)
        {
            public static int Parse(ReadOnlySpan<char> digits, IFormatProvider provider) => int.Parse(digits.ToString(), provider);
        }

        extension(Random random)
        {
            public T[] GetItems<T>(T[] choices, int length) => [.. Enumerable.Range(0, length).Select(_ => choices[random.Next(choices.Length)])];
        }

        extension<TKey, TValue>(Dictionary<TKey, TValue> dictionary)
        {
            public TValue? GetValueOrDefault(TKey key) => dictionary.TryGetValue(key, out var value) ? value : default;
        }

        extension<T>(IEnumerable<T> items)
        {
            public IOrderedEnumerable<T> Order(IComparer<T>? comparer = null) => items.OrderBy(item => item, comparer);

            public IEnumerable<(T First, TOther Second)> Zip<TOther>(IEnumerable<TOther> others) => items.Zip(others, (item, other) => (item, other));
        }

        extension(CancellationTokenSource source)
        {
            public Task CancelAsync()
            {
                source.Cancel();
                return Task.CompletedTask;
            }
        }

        extension(Task task)
        {
            public Task WaitAsync(CancellationToken cancellationToken) => task.WaitAsync(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);

            public Task WaitAsync(TimeSpan limit, CancellationToken cancellationToken = default) => task.WaitAsync(limit, TimeProvider.System, cancellationToken);
        }

        extension<T>(Task<T> task)
        {
            public Task<T> WaitAsync(TimeSpan limit, CancellationToken cancellationToken = default) => task.WaitAsync(limit, TimeProvider.System, cancellationToken);
        }

        extension(Socket socket)
        {
            public void Listen() => socket.Listen(128);

            public Task<Socket> AcceptAsync(CancellationToken cancellationToken) =>
                UntilAsync(() => Task.Factory.FromAsync(socket.BeginAccept, socket.EndAccept, null), socket, cancellationToken);
        }

        extension(Stream stream)
        {
            public void Write(ReadOnlySpan<byte> bytes) => stream.Write(bytes.ToArray(), 0, bytes.Length);

            public Task WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) =>
                UntilAsync(() => AsIntAsync(stream.WriteAsync(bytes.ToArray(), 0, bytes.Length, CancellationToken.None)), stream, cancellationToken);

            public async Task<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
            {
                var bytes = new byte[buffer.Length];
                var read = await UntilAsync(() => stream.ReadAsync(bytes, 0, bytes.Length, CancellationToken.None), stream, cancellationToken);
                bytes.AsMemory(0, read).CopyTo(buffer);
                return read;
            }

            public Task CopyToAsync(Stream destination, CancellationToken cancellationToken) =>
                UntilAsync(() => AsIntAsync(stream.CopyToAsync(destination, 81920, CancellationToken.None)), stream, cancellationToken);
        }

        extension(SslStream stream)
        {
            public Task AuthenticateAsServerAsync(SslServerAuthenticationOptions options, CancellationToken cancellationToken) =>
                UntilAsync(() => AsIntAsync(stream.AuthenticateAsServerAsync(options.ServerCertificate!, false, SslProtocols.Tls12, false)), stream, cancellationToken);
        }

        /// <summary>.NET Framework's sockets do not look at the token once they have begun: the end of the test closes them.</summary>
        private static async Task<T> UntilAsync<T>(Func<Task<T>> operation, IDisposable closes, CancellationToken cancellationToken)
        {
            using var stop = cancellationToken.Register(closes.Dispose);
            try
            {
                return await operation().WaitAsync(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            }
            catch (Exception) when (cancellationToken.IsCancellationRequested)
            {
                throw new OperationCanceledException(cancellationToken);
            }
        }

        private static async Task<int> AsIntAsync(Task task)
        {
            await task;
            return 0;
        }
    }
}

namespace System.Security.Cryptography.X509Certificates
{
    internal static class X509CertificateLoader
    {
        public static X509Certificate2 LoadPkcs12(byte[] data, string? password) => new(data, password);
    }
}
