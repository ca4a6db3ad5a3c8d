using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace FleetLock.Server;

/// <summary>A FleetLock server in this process. It leaves signals and the console to its host.</summary>
public sealed class FleetLockServer : IAsyncDisposable
{
    private static readonly string[] GetOrHead = [HttpMethods.Get, HttpMethods.Head];

    private readonly WebApplication _app;
    private readonly SemaphoreGroups _groups;
    private readonly ISemaphoreStore _store;
    private readonly ServerTrust _trust;

    private FleetLockServer(WebApplication app, SemaphoreGroups groups, ISemaphoreStore store, ServerTrust trust)
    {
        _app = app;
        _groups = groups;
        _store = store;
        _trust = trust;
    }

    /// <summary>Where the server listens, with the port that it got.</summary>
    public Uri Address => new(_app.Urls.First());

    /// <summary>Every address that the server listens on, the first one first.</summary>
    public IReadOnlyList<Uri> Addresses => [.. _app.Urls.Select(url => new Uri(url))];

    /// <summary>The server's log.</summary>
    internal ILogger Logger => _trust.Logger;

    /// <summary>What the server answers to: methods and paths.</summary>
    internal IReadOnlyList<Endpoint> Endpoints => _app.Services.GetRequiredService<EndpointDataSource>().Endpoints;

    /// <summary>Opens the store and begins to listen.</summary>
    /// <param name="options">Groups, store and address.</param>
    /// <param name="cancellationToken">A token to cancel the operation.</param>
    /// <returns>The server, which answers.</returns>
    /// <exception cref="FleetLockInputException">A group's name or number of slots breaks its rule.</exception>
    /// <exception cref="SemaphoreStoreException">The store cannot be opened.</exception>
    /// <exception cref="FleetLockServerException">The address cannot be listened on.</exception>
    public static async Task<FleetLockServer> StartAsync(FleetLockServerOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        var store = options.Store;
        try
        {
            foreach (var (group, slots) in options.Groups)
                RequireGroup(group, slots);
            Listening.Require(options);

            await store.OpenAsync(cancellationToken);
            var app = Build(options, out var groups, out var trust);
            try
            {
                if (store.StartsUnreachable)
                    _ = groups.TryConfigureAsync(options.Groups);
                else
                    await groups.ConfigureAsync(options.Groups).WaitAsync(cancellationToken);
                await app.StartAsync(cancellationToken);
                return new FleetLockServer(app, groups, store, trust);
            }
            catch (Exception e)
            {
                await app.DisposeAsync();
                trust.Dispose();
                await groups.DisposeAsync();
                if (e is IOException or SocketException)
                    throw Listening.Failed(options, e);
                throw;
            }
        }
        catch
        {
            await store.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// Takes other groups, credentials, certificates and limits, without a restart and without losing a holder. Where it listens, its store, its log, and
    /// the limits of connections and their times stay as they were when it started.
    /// </summary>
    /// <param name="options">The options that it was started with, with other values for these.</param>
    /// <returns>When they are in force, and the slots are saved.</returns>
    /// <exception cref="FleetLockInputException">A value breaks its rule, or a file cannot be used; nothing has changed.</exception>
    /// <exception cref="SemaphoreStoreException">The store failed; each group's next request tries again.</exception>
    public Task ReconfigureAsync(FleetLockServerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        foreach (var (group, slots) in options.Groups)
            RequireGroup(group, slots);
        _trust.Use(options);
        _groups.Reauthorize();
        return _groups.ConfigureAsync(options.Groups);
    }

    /// <summary>Stops listening, finishes what is in flight, and closes the store.</summary>
    public async ValueTask DisposeAsync()
    {
        _groups.StopWaiting();
        await _app.StopAsync();
        await _app.DisposeAsync();
        _trust.Dispose();
        await _groups.DisposeAsync();
        await _store.DisposeAsync();
    }

    private static WebApplication Build(FleetLockServerOptions options, out SemaphoreGroups groups, out ServerTrust trust)
    {
        var made = trust = new ServerTrust(options);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });

        // One hop between threads less for each request and each answer. It is unsafe where handlers block; ours wait for nothing but the store's answer.
        builder.WebHost.UseKestrelCore().UseSockets(sockets =>
        {
            sockets.UnsafePreferInlineScheduling = true;
            sockets.CreateBoundListenSocket = ListenSocket.Create;
        }).ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = ErrorReply.MaxBodyBytes;
            Listening.Configure(kestrel, options, made);
        });
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        options.Logging?.Invoke(builder.Logging);

        var app = builder.Build();
        var logger = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger(ServerLog.Category);
        trust.Start(options, logger);
        var access = trust.Access;
        if (options.Store is SqliteStore sqlite)
        {
            sqlite.RestoreDetected += () => ServerLog.StoreRestored(logger, sqlite.Description);
            if (sqlite.IsRestored)
                ServerLog.StoreRestored(logger, sqlite.Description);
        }

        var metrics = new ServerMetrics();
        var faults = new StoreFaultLog(options.Clock, logger);
        groups = new SemaphoreGroups(options.Store, options.Clock, metrics, logger);
        var protocol = new ProtocolEndpoint(groups, access, trust.Options, metrics, faults, logger);
        var people = new GroupsEndpoint(groups, access, metrics, faults, logger);
        var health = new HealthEndpoint(groups, metrics, faults, options.Clock);
        var numbers = new MetricsEndpoint(groups, access, metrics, faults, options.Clock);
        var identity = new RequestIdentity(logger);
        app.Use(identity.InvokeAsync);
        app.Use(trust.Limiter.HandleAsync);
        app.Use(RefuseUnroutedAsync);
        app.UseRouting();
        app.MapPost("/" + FleetLockProtocol.PreRebootPath, protocol.PreRebootAsync);
        app.MapPost("/" + FleetLockProtocol.SteadyStatePath, protocol.SteadyStateAsync);
        app.MapGet("/" + FleetLockProtocol.GroupsPath, people.ListAsync);
        const string Group = "/" + FleetLockProtocol.GroupsPath + "/{group}";
        app.MapGet(Group, context => people.ShowAsync(context, Segment(context, "group")));
        app.MapPut(Group, context => people.ResizeAsync(context, Segment(context, "group")));
        const string Holders = Group + "/" + FleetLockProtocol.HoldersSegment;
        app.MapDelete(Holders, context => people.ForceReleaseAsync(context, Segment(context, "group"), null));
        app.MapDelete(Holders + "/{id}", context => people.ForceReleaseAsync(context, Segment(context, "group"), LastSegment(context)));
        var grants = new GrantsEndpoint(groups, access, faults, logger);
        app.MapDelete(
            Group + "/" + FleetLockProtocol.GrantsSegment + "/{grantId}",
            context => grants.CancelAsync(context, Segment(context, "group"), Segment(context, "grantId")));
        app.MapGet("/" + FleetLockProtocol.FeaturesPath, FeaturesEndpoint.ShowAsync);
        app.MapDelete("/" + RestoreEndpoint.Path, new RestoreEndpoint(groups, access, faults, logger).ConfirmAsync);
        app.MapMethods("/healthz", GetOrHead, HealthEndpoint.HealthAsync);
        app.MapMethods("/readyz", GetOrHead, health.ReadyAsync);
        app.MapGet("/metrics", numbers.ShowAsync);
        app.MapGet("/openapi.json", OpenApiEndpoint.ShowAsync);
        return app;
    }

    private static string Segment(HttpContext context, string name) => (string)context.Request.RouteValues[name]!;

    /// <summary>The path's last segment, from what was sent: the decoded path leaves an encoded slash as it is, so that "a/b" would free the slot of "a%2Fb".</summary>
    private static string LastSegment(HttpContext context)
    {
        var path = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget.Split('?')[0].TrimEnd('/');
        return Uri.UnescapeDataString(path[(path.LastIndexOf('/') + 1)..]);
    }

    /// <summary>Routing answers an unknown path and a wrong method with a code alone; this adds the protocol's error.</summary>
    private static async Task RefuseUnroutedAsync(HttpContext context, RequestDelegate next)
    {
        await next(context);
        var (request, response) = (context.Request, context.Response);
        if (response.HasStarted)
            return;
        if (response.StatusCode == StatusCodes.Status404NotFound)
            await ErrorReply.NotFound(request.Path).WriteAsync(response);
        else if (response.StatusCode == StatusCodes.Status405MethodNotAllowed)
            await ErrorReply.MethodNotAllowed(request.Method, request.Path.ToString(), response.Headers.Allow.ToString()).WriteAsync(response);
    }

    private static void RequireGroup(string group, int slots)
    {
        ProtocolRules.RequireGroup(group);
        if (slots is < 0 or > FleetLockServerOptions.MaxSlots)
            throw new FleetLockInputException("group", $"The group '{group}' has {slots} slots; it takes 0 to {FleetLockServerOptions.MaxSlots}.");
    }

    /// <summary>The host decides when the server ends, not the console.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
