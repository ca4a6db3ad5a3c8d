using System.IO.Pipelines;
using System.Text.Json;
using FleetLock.TestKit;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using static FleetLock.Server.Tests.Sample;
using static FleetLock.Server.Tests.TestServer;

namespace FleetLock.Server.Tests;

/// <summary>Clients that end the connection, or their half of it, right after the request: both may arrive together.</summary>
public sealed class EndOfSendingTests
{
    /// <summary>Enough that the server reads the end of some connections before it handles their request.</summary>
    private const int Clients = 100;

    public enum Release
    {
        SteadyState,
        SteadyStateInChunks,
        Grant,
        Forced,
    }

    [Theory]
    [InlineData(Release.SteadyState, true)]
    [InlineData(Release.SteadyState, false)]
    [InlineData(Release.SteadyStateInChunks, true)]
    [InlineData(Release.SteadyStateInChunks, false)]
    [InlineData(Release.Grant, true)]
    [InlineData(Release.Grant, false)]
    [InlineData(Release.Forced, true)]
    [InlineData(Release.Forced, false)]
    public async Task A_release_is_carried_out(Release release, bool closes)
    {
        await using var store = new MemoryStore();
        await using var server = await StartAsync(store, (Group, Clients));
        var (grants, locked) = (Enumerable.Range(0, Clients).Select(_ => GrantId.Create()).ToArray(), 0);
        foreach (var grant in grants)
            Answers.AssertDone(await server.AskAsync(LockRequest("n" + locked++, grant)));

        await Parallel.ForAsync(0, Clients, TestContext.Current.CancellationToken, async (i, _) =>
        {
            using var client = await RawClient.ConnectAsync(server.Address);
            await client.SendAsync(ReleaseRequest(release, "n" + i, grants[i]));
            if (closes)
                return;
            client.EndSending();
            await UntilClosedAsync(client);
        });

        await UntilAsync(async () => await server.HoldersAsync() is []);
    }

    [Fact]
    public async Task A_change_of_the_slots_is_carried_out()
    {
        await using var store = new MemoryStore();
        await using var server = await StartAsync(store, (Group, 0));
        for (var slots = 1; slots <= Clients; slots++)
        {
            using var client = await RawClient.ConnectAsync(server.Address);
            var body = JsonSerializer.SerializeToUtf8Bytes(new FleetGroupSlots(slots), GroupJson.Default.FleetGroupSlots);
            await client.SendAsync(RawClient.Request("PUT /v1/groups/" + Group, body, ProtocolHeader));
            client.EndSending();
            await UntilAsync(async () => (await server.GroupAsync()).Slots == slots);
        }
    }

    [Fact]
    public async Task A_lock_is_not_decided_when_its_client_has_left_before_it()
    {
        await using var store = new StagedStore();
        var options = Options(store, (Group, 1));
        using var log = new CapturedLog();
        var metrics = new ServerMetrics();
        await using var groups = new SemaphoreGroups(store, TimeProvider.System, metrics, log);
        await groups.ConfigureAsync(options.Groups);
        var saves = store.Saves;
        var (access, faults) = (new AccessPolicy(new AccessRules([])), new StoreFaultLog(TimeProvider.System, log));
        var endpoint = new ProtocolEndpoint(groups, access, new OptionsInForce(options), metrics, faults, log);
        var reader = await ReaderOfAsync(WireFormat.WriteRequest(Group, "a"));
        var context = new DefaultHttpContext();
        context.Features.Set(reader);
        context.Request.Headers[FleetLockProtocol.Header] = FleetLockProtocol.HeaderValue;
        context.Request.Body = reader.AsStream();

        await endpoint.PreRebootAsync(context);

        Assert.Equal(503, context.Response.StatusCode);
        Assert.Equal(saves, store.Saves);
    }

    /// <remarks>The server cannot answer, and the slot stays held: only the log can say why.</remarks>
    [Theory]
    [InlineData(SteadyState)]
    [InlineData("PUT /v1/groups/" + Group)]
    public async Task A_body_that_is_not_whole_does_nothing_and_is_logged(string line)
    {
        using var log = new CapturedLog();
        await using var store = new MemoryStore();
        await using var server = await StartAsync(Options(store, (Group, 1)) with { Logging = logging => logging.AddProvider(log) });
        Answers.AssertDone(await server.LockAsync("a"));
        var before = await server.GroupsAsync();

        using (var client = await RawClient.ConnectAsync(server.Address))
        {
            var body = line == SteadyState ? WireFormat.WriteRequest(Group, "a") : """{"slots":5}"""u8.ToArray();
            await client.SendAsync(RawClient.Request(line, body, ProtocolHeader).AsMemory(..^1));
            client.EndSending();
            await UntilClosedAsync(client);
        }

        await UntilAsync(() => Task.FromResult(log.Lines.Any(logged => logged.Event == nameof(ServerLog.BodyUnread))));
        log.AssertHas(LogLevel.Information, nameof(ServerLog.BodyUnread), line, "127.0.0.1");
        Assert.Equal(before, await server.GroupsAsync());
    }

    [Fact]
    public async Task The_end_is_reported_after_what_arrived_before_it()
    {
        var reader = await ReaderOfAsync("a request"u8.ToArray());

        var read = await reader.ReadAsync(TestContext.Current.CancellationToken);
        Assert.Equal((9, false), (read.Buffer.Length, read.IsCompleted));
        Assert.True(reader.HasEnded);
        reader.AdvanceTo(read.Buffer.GetPosition(4));
        read = await reader.ReadAsync(TestContext.Current.CancellationToken);
        Assert.Equal((5, false), (read.Buffer.Length, read.IsCompleted));
        reader.AdvanceTo(read.Buffer.End);

        Assert.True(reader.TryRead(out read));
        Assert.Equal((0, true), (read.Buffer.Length, read.IsCompleted));
    }

    [Fact]
    public async Task The_end_is_reported_to_a_reader_that_needs_more()
    {
        var reader = await ReaderOfAsync("half a request"u8.ToArray());
        var read = await reader.ReadAsync(TestContext.Current.CancellationToken);
        reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);

        read = await reader.ReadAsync(TestContext.Current.CancellationToken);

        Assert.Equal((14, true), (read.Buffer.Length, read.IsCompleted));
    }

    private static async Task<DeferredEndReader> ReaderOfAsync(byte[] bytes)
    {
        var pipe = new Pipe();
        await pipe.Writer.WriteAsync(bytes, TestContext.Current.CancellationToken);
        await pipe.Writer.CompleteAsync();
        return new DeferredEndReader(pipe.Reader);
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var deadline = new CancellationTokenSource(TestTimeout.Hang);
        while (!await condition())
            await Task.Delay(TimeSpan.FromMilliseconds(1), deadline.Token);
    }

    private static async Task UntilClosedAsync(RawClient client)
    {
        try
        {
            await client.ReceiveAsync();
        }
        catch (IOException)
        {
            // The connection was reset.
        }
    }

    private static byte[] LockRequest(string id, string grant) =>
        RawClient.Request(PreReboot, WireFormat.WriteRequest(Group, id), ProtocolHeader, $"{FleetLockProtocol.GrantHeader}: {grant}");

    private static byte[] ReleaseRequest(Release release, string id, string grant)
    {
        var body = WireFormat.WriteRequest(Group, id);
        return release switch
        {
            Release.SteadyState => Request(SteadyState, Group, id),
            Release.SteadyStateInChunks =>
            [
                .. RawClient.Head(SteadyState, ProtocolHeader, "Transfer-Encoding: chunked"),
                .. BadRequestTests.Bytes($"{body.Length:x}\r\n"), .. body, .. "\r\n0\r\n\r\n"u8,
            ],
            Release.Grant => RawClient.Request($"DELETE /v1/groups/{Group}/grants/{grant}?id={id}", [], ProtocolHeader),
            _ => RawClient.Request($"DELETE /v1/groups/{Group}/holders/{id}?reason=test", [], ProtocolHeader),
        };
    }
}
