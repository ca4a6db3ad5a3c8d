using System.Collections.Concurrent;
using System.Diagnostics;
using FleetLock.TestKit;
using Microsoft.AspNetCore.Http;

namespace FleetLock.Server.Tests;

/// <summary>Tells when a server has noticed that the client of its request has gone.</summary>
internal sealed class RequestAborts : IObserver<DiagnosticListener>, IObserver<KeyValuePair<string, object?>>, IDisposable
{
    private const string Activity = "Microsoft.AspNetCore.Hosting.HttpRequestIn";
    private const string Begin = Activity + ".Start";

    private readonly TaskCompletionSource _noticed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentBag<IDisposable> _subscriptions = [];
    private readonly int _port;
    private readonly string _path;

    /// <summary>Watches the requests to a path.</summary>
    /// <param name="server">The server.</param>
    /// <param name="path">The path of the request.</param>
    internal RequestAborts(Uri server, string path)
    {
        (_port, _path) = (server.Port, path);
        _subscriptions.Add(DiagnosticListener.AllListeners.Subscribe(this));
    }

    /// <summary>Ends when it is noticed.</summary>
    internal Task Noticed => _noticed.Task.WaitAsync(TestTimeout.Hang, TestContext.Current.CancellationToken);

    public void OnNext(DiagnosticListener value)
    {
        if (value.Name == "Microsoft.AspNetCore")
            _subscriptions.Add(value.Subscribe(this, name => name.StartsWith(Activity, StringComparison.Ordinal)));
    }

    public void OnNext(KeyValuePair<string, object?> value)
    {
        if (value.Key == Begin && value.Value is HttpContext context && context.Connection.LocalPort == _port && context.Request.Path == _path)
            context.RequestAborted.Register(() => _noticed.TrySetResult());
    }

    public void OnCompleted()
    {
    }

    public void OnError(Exception error)
    {
    }

    public void Dispose()
    {
        foreach (var subscription in _subscriptions)
            subscription.Dispose();
    }
}
