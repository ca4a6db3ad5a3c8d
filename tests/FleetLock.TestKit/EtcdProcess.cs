using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace FleetLock.TestKit;

/// <summary>
/// A real etcd of one member on loopback, which can be killed, suspended and started again on the same data. What tests put and read themselves goes
/// through etcd's JSON gateway, so that nothing of the client under test is in it.
/// </summary>
public sealed class EtcdProcess : IAsyncDisposable
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(20);

    private readonly TemporaryDirectory _folder = new();
    private readonly ConcurrentQueue<string> _log = new();
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = TestTimeout.Hang };
    private readonly string[] _arguments;
    private readonly int _peerPort;
    private readonly bool _isTls;
    private Process? _process;

    private EtcdProcess(int port, int peerPort, bool isTls, string[] arguments)
    {
        (_peerPort, _isTls, _arguments) = (peerPort, isTls, arguments);
        Endpoint = new Uri(string.Create(CultureInfo.InvariantCulture, $"{(isTls ? "https" : "http")}://127.0.0.1:{port}"));
    }

    /// <summary>Why no etcd can be started here; <see langword="null"/> when one can.</summary>
    public static string? Missing { get; } = Find() is null ? "There is no etcd on this machine (Debian: apt-get install etcd-server)." : null;

    /// <summary>Why no snapshot can be restored here; <see langword="null"/> when one can.</summary>
    public static string? MissingSnapshots { get; } =
        Missing ?? (Find("etcdctl") is null ? "There is no etcdctl on this machine (Debian: apt-get install etcd-client)." : null);

    /// <summary>The address for clients.</summary>
    public Uri Endpoint { get; }

    /// <summary>An address on loopback where nothing listens.</summary>
    public static Uri FreeEndpoint() => new(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{FreePort.Find()}"));

    /// <summary>Starts an etcd with no data, and waits until it answers.</summary>
    /// <param name="arguments">More arguments.</param>
    public static Task<EtcdProcess> StartAsync(params string[] arguments) => StartAsync(FreeEndpoint(), arguments);

    /// <summary>Starts an etcd with no data at an address, and waits until it answers.</summary>
    /// <param name="endpoint">The address for clients. With <c>https</c>, a connection is all that is waited for.</param>
    /// <param name="arguments">More arguments.</param>
    public static async Task<EtcdProcess> StartAsync(Uri endpoint, params string[] arguments)
    {
        var etcd = new EtcdProcess(endpoint.Port, FreePort.Find(), endpoint.Scheme == Uri.UriSchemeHttps, arguments);
        try
        {
            await etcd.StartAgainAsync();
            return etcd;
        }
        catch
        {
            await etcd.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts it again on the data that it has, and waits until it answers.</summary>
    public async Task StartAgainAsync()
    {
        var peer = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{_peerPort}");
        var client = Endpoint.GetLeftPart(UriPartial.Authority);
        string[] arguments =
        [
            "--name", "one", "--data-dir", _folder.File("data"),
            "--listen-client-urls", client, "--advertise-client-urls", client,
            "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", "one=" + peer,
            "--heartbeat-interval", "20", "--election-timeout", "200", "--log-level", "error", "--logger", "zap",
        ];
        _process = new Process { StartInfo = new ProcessStartInfo(Find()!, [.. arguments, .. _arguments]) { RedirectStandardOutput = true, RedirectStandardError = true } };
        _process.OutputDataReceived += (_, line) => Log(line.Data);
        _process.ErrorDataReceived += (_, line) => Log(line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        await WaitUntilItAnswersAsync();
    }

    /// <summary>Saves a snapshot, as an operator does.</summary>
    /// <param name="name">The snapshot's name.</param>
    public async Task SaveSnapshotAsync(string name)
    {
        File.Delete(_folder.File(name));
        await RunAsync("etcdctl", "--endpoints", Endpoint.GetLeftPart(UriPartial.Authority), "snapshot", "save", _folder.File(name));
    }

    /// <summary>Kills it, and starts it again on what a snapshot has.</summary>
    /// <param name="name">The snapshot's name.</param>
    /// <param name="cluster">A token that gives the cluster another id; the same id as before without one.</param>
    public async Task RestoreSnapshotAsync(string name, string cluster = "etcd-cluster")
    {
        await KillAsync();
        Directory.Delete(_folder.File("data"), recursive: true);
        var peer = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{_peerPort}");

        // etcd 3.5 has moved it from one program to the other.
        await RunAsync(
            Find("etcdutl") is null ? "etcdctl" : "etcdutl",
            "snapshot", "restore", _folder.File(name), "--data-dir", _folder.File("data"), "--name", "one", "--initial-cluster", "one=" + peer,
            "--initial-advertise-peer-urls", peer, "--initial-cluster-token", cluster);
        await StartAgainAsync();
    }

    /// <summary>Ends it as a loss of power does (SIGKILL).</summary>
    public async Task KillAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync().WaitAsync(TestTimeout.Hang);
        _process.Dispose();
        _process = null;
    }

    /// <summary>Lets it stand still: it takes connections and answers nothing (SIGSTOP).</summary>
    public async Task SuspendAsync()
    {
        await SignalAsync("STOP");

        // Until the thread that takes the signal runs, the others go on.
        for (var waited = Stopwatch.StartNew(); OperatingSystem.IsLinux() && !IsSuspended(); await Task.Delay(PollInterval))
        {
            if (waited.Elapsed > TestTimeout.Hang)
                throw new InvalidOperationException("etcd does not stand still.");
        }
    }

    /// <summary>Lets it go on (SIGCONT).</summary>
    public Task ResumeAsync() => SignalAsync("CONT");

    /// <summary>Reads a key.</summary>
    /// <param name="key">The key.</param>
    /// <returns>Its value and its version; <see langword="null"/> and 0 when there is none.</returns>
    public async Task<(string? Value, long Version)> GetAsync(string key)
    {
        using var answer = await PostAsync("v3/kv/range", $$"""{"key":"{{Base64(key)}}"}""");
        if (!answer.RootElement.TryGetProperty("kvs", out var found))
            return (null, 0);
        var pair = found[0];
        var value = pair.TryGetProperty("value", out var bytes) ? Encoding.UTF8.GetString(bytes.GetBytesFromBase64()) : "";
        return (value, long.Parse(pair.GetProperty("version").GetString()!, CultureInfo.InvariantCulture));
    }

    /// <summary>The names of all keys.</summary>
    public async Task<string[]> KeysAsync()
    {
        using var answer = await PostAsync("v3/kv/range", """{"key":"AA==","range_end":"AA==","keys_only":true}""");
        return answer.RootElement.TryGetProperty("kvs", out var found)
            ? [.. found.EnumerateArray().Select(pair => Encoding.UTF8.GetString(pair.GetProperty("key").GetBytesFromBase64()))]
            : [];
    }

    /// <summary>Writes a key.</summary>
    /// <param name="key">The key.</param>
    /// <param name="value">The value.</param>
    public async Task PutAsync(string key, string value) =>
        (await PostAsync("v3/kv/put", $$"""{"key":"{{Base64(key)}}","value":"{{Base64(value)}}"}""")).Dispose();

    /// <summary>Writes a key as airlock does: if its version is still the one that was read.</summary>
    /// <param name="key">The key.</param>
    /// <param name="version">The version that was read.</param>
    /// <param name="value">The value.</param>
    /// <returns>Whether it was written.</returns>
    public async Task<bool> TryPutAsync(string key, long version, string value)
    {
        using var answer = await PostAsync("v3/kv/txn", string.Create(CultureInfo.InvariantCulture, $$$"""
            {"compare":[{"key":"{{{Base64(key)}}}","target":"VERSION","result":"EQUAL","version":"{{{version}}}"}],
             "success":[{"requestPut":{"key":"{{{Base64(key)}}}","value":"{{{Base64(value)}}}"}}]}
            """));
        return answer.RootElement.TryGetProperty("succeeded", out var succeeded) && succeeded.GetBoolean();
    }

    /// <summary>Deletes a key.</summary>
    /// <param name="key">The key.</param>
    public async Task DeleteAsync(string key) => (await PostAsync("v3/kv/deleterange", $$"""{"key":"{{Base64(key)}}"}""")).Dispose();

    /// <summary>Forgets all history up to now: who watched, and was away, cannot go on from where it was.</summary>
    public async Task CompactAsync()
    {
        using var now = await PostAsync("v3/kv/range", """{"key":"AA=="}""");
        var revision = now.RootElement.GetProperty("header").GetProperty("revision").GetString();
        (await PostAsync("v3/kv/compaction", $$"""{"revision":"{{revision}}"}""")).Dispose();
    }

    /// <summary>Deletes all keys.</summary>
    public async Task ClearAsync() => (await PostAsync("v3/kv/deleterange", """{"key":"AA==","range_end":"AA=="}""")).Dispose();

    /// <summary>Calls the JSON gateway.</summary>
    /// <param name="path">The path, such as <c>v3/kv/put</c>.</param>
    /// <param name="body">The request.</param>
    /// <param name="token">The token of a user.</param>
    public async Task<JsonDocument> PostAsync(string path, string body, string? token = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(Endpoint, path)) { Content = new StringContent(body) };
        if (token is not null)
            request.Headers.TryAddWithoutValidation("Authorization", token);
        using var answer = await _http.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        return answer.IsSuccessStatusCode ? JsonDocument.Parse(text) : throw new InvalidOperationException($"etcd answered {(int)answer.StatusCode}: {text}");
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
            await KillAsync();
        _http.Dispose();
        _folder.Dispose();
    }

    private async Task WaitUntilItAnswersAsync()
    {
        for (var waited = Stopwatch.StartNew(); ; await Task.Delay(PollInterval))
        {
            try
            {
                if (_isTls ? await CanConnectAsync() : await IsHealthyAsync())
                    return;
            }
            catch (Exception e) when (e is HttpRequestException or SocketException)
            {
                // It does not listen yet.
            }

            if (waited.Elapsed > TestTimeout.Hang || _process!.HasExited)
                throw new InvalidOperationException("etcd does not answer: " + string.Join(Environment.NewLine, _log));
        }
    }

    private async Task<bool> IsHealthyAsync()
    {
        using var answer = await _http.GetAsync(new Uri(Endpoint, "health"));
        return answer.IsSuccessStatusCode;
    }

    private async Task<bool> CanConnectAsync()
    {
        using var tcp = new TcpClient();
        await tcp.ConnectAsync(Endpoint.Host, Endpoint.Port);
        return true;
    }

    private bool IsSuspended() => Directory.GetDirectories($"/proc/{_process!.Id}/task")
        .Select(thread => File.ReadAllText(Path.Combine(thread, "stat")))
        .All(thread => thread[thread.LastIndexOf(')') + 2] == 'T');

    private async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", ["-" + signal, _process!.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
        if (kill.ExitCode != 0)
            throw new InvalidOperationException($"kill -{signal} ended with {kill.ExitCode}.");
    }

    private static async Task RunAsync(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(Find(program)!, arguments) { RedirectStandardError = true, RedirectStandardOutput = true };
        start.Environment["ETCDCTL_API"] = "3";
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = await process.StandardError.ReadToEndAsync();
        await output;
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{program} ended with {process.ExitCode}: {errors}");
    }

    private void Log(string? line)
    {
        if (line is not null)
            _log.Enqueue(line);
    }

    private static string? Find(string program = "etcd") => (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
        .Select(folder => Path.Combine(folder, OperatingSystem.IsWindows() ? program + ".exe" : program))
        .FirstOrDefault(File.Exists);

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
