using System;
using System.IO;
using System.Linq;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace FleetLock.Server;

/// <summary>A FleetLock server in this process. It leaves signals and the console to its host.</summary>
public sealed class FleetLockServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly SemaphoreGroups _groups;
    private readonly ISemaphoreStore _store;

    private FleetLockServer(WebApplication app, SemaphoreGroups groups, ISemaphoreStore store)
    {
        _app = app;
        _groups = groups;
        _store = store;
    }

    /// <summary>Where the server listens, with the port that it got.</summary>
    public Uri Address => new(_app.Urls.First());

    /// <summary>Opens the store and begins to listen.</summary>
    /// <param name="options">Groups, store and address.</param>
    /// <param name="cancellationToken">Ends the try.</param>
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
            RequireListenAddress(options.Listen);

            await store.OpenAsync(cancellationToken).ConfigureAwait(false);
            var groups = await SemaphoreGroups.StartAsync(options.Groups, store, options.Clock, cancellationToken).ConfigureAwait(false);
            var app = Build(options, groups);
            try
            {
                await app.StartAsync(cancellationToken).ConfigureAwait(false);
                return new FleetLockServer(app, groups, store);
            }
            catch (Exception e)
            {
                await app.DisposeAsync().ConfigureAwait(false);
                await groups.DisposeAsync().ConfigureAwait(false);
                if (e is IOException or SocketException)
                    throw CannotListen(options.Listen, e);
                throw;
            }
        }
        catch
        {
            await store.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Stops listening, finishes what is in flight, and closes the store.</summary>
    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync().ConfigureAwait(false);
        await _app.DisposeAsync().ConfigureAwait(false);
        await _groups.DisposeAsync().ConfigureAwait(false);
        await _store.DisposeAsync().ConfigureAwait(false);
    }

    private static WebApplication Build(FleetLockServerOptions options, SemaphoreGroups groups)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = ErrorReply.MaxBodyBytes;
        });
        builder.WebHost.UseUrls(options.Listen.GetLeftPart(UriPartial.Authority));
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        options.Logging?.Invoke(builder.Logging);

        var app = builder.Build();
        var logger = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("FleetLock.Server");
        var protocol = new ProtocolEndpoint(groups, logger);
        var state = new StateEndpoint(groups, logger);
        app.Use(RefuseUnroutedAsync);
        app.UseRouting();
        app.MapPost("/" + FleetLockProtocol.PreRebootPath, protocol.PreRebootAsync);
        app.MapPost("/" + FleetLockProtocol.SteadyStatePath, protocol.SteadyStateAsync);
        app.MapGet("/" + FleetLockProtocol.GroupsPath, state.GroupsAsync);
        app.MapGet("/healthz", StateEndpoint.HealthAsync);
        return app;
    }

    /// <summary>Routing answers an unknown path and a wrong method with a code alone; this adds the protocol's error.</summary>
    private static async Task RefuseUnroutedAsync(HttpContext context, RequestDelegate next)
    {
        await next(context).ConfigureAwait(false);
        var (request, response) = (context.Request, context.Response);
        if (response.HasStarted)
            return;
        if (response.StatusCode == StatusCodes.Status404NotFound)
            await ErrorReply.NotFound(request.Path).WriteAsync(response).ConfigureAwait(false);
        else if (response.StatusCode == StatusCodes.Status405MethodNotAllowed)
            await ErrorReply.MethodNotAllowed(request.Method, request.Path.ToString(), response.Headers.Allow.ToString()).WriteAsync(response).ConfigureAwait(false);
    }

    private static void RequireGroup(string group, int slots)
    {
        ProtocolRules.RequireGroup(group);
        if (slots is < 0 or > FleetLockServerOptions.MaxSlots)
            throw new FleetLockInputException("group", $"The group '{group}' has {slots} slots; it takes 0 to {FleetLockServerOptions.MaxSlots}.");
    }

    private static void RequireListenAddress(Uri listen)
    {
        // An IP address, because Kestrel takes any name to mean every address of the machine.
        var isAddress = listen.Scheme == Uri.UriSchemeHttp && listen.HostNameType is (UriHostNameType.IPv4 or UriHostNameType.IPv6);
        if (!isAddress || listen.PathAndQuery != "/" || listen.UserInfo.Length > 0 || listen.Fragment.Length > 0)
            throw new FleetLockInputException("listen", $"The listen address '{ProtocolRules.Show(listen.OriginalString)}' is not of the form http://ADDRESS:PORT, with an IP address.");
    }

    private static FleetLockServerException CannotListen(Uri listen, Exception e)
    {
        var reason = e.InnerException is AddressInUseException ? "the port is in use by another process" : TerminalText.Clean((e.InnerException ?? e).Message).TrimEnd('.');
        return new FleetLockServerException($"Cannot listen on {listen.GetLeftPart(UriPartial.Authority)}: {reason}.", e);
    }

    /// <summary>The host decides when the server ends, not the console.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
