using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Http;

namespace FleetLock.Server;

/// <summary>Refuses the requests of an address that asks too often: each has a bucket of as many as a minute brings, filled again all the time. A full bucket is forgotten.</summary>
internal sealed class RequestLimiter : IDisposable
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    // One for every limit that was ever in force: a bucket of a former one fills up, and is forgotten. Made when it is needed, because its clock never rests.
    private readonly Lazy<PartitionedRateLimiter<Bucket>> _limiter =
        new(() => PartitionedRateLimiter.Create<Bucket, Bucket>(bucket => RateLimitPartition.GetTokenBucketLimiter(bucket, OptionsOf)));

    // 0 is none given.
    private volatile int _perMinute;

    /// <summary>Makes it.</summary>
    /// <param name="perMinute">The requests per minute, see <see cref="ServerLimits.RequestsPerMinutePerAddress"/>.</param>
    internal RequestLimiter(int? perMinute) => Use(perMinute);

    /// <summary>Takes another limit; every address begins anew with it.</summary>
    /// <param name="perMinute">The requests per minute.</param>
    internal void Use(int? perMinute) => _perMinute = perMinute ?? 0;

    /// <summary>Passes a request on, or refuses it.</summary>
    /// <param name="context">The exchange.</param>
    /// <param name="next">What answers requests.</param>
    /// <returns>When the answer is written.</returns>
    internal Task HandleAsync(HttpContext context, RequestDelegate next)
    {
        if (Admit(context.Connection.RemoteIpAddress) is not { } wait)
            return next(context);
        context.Response.Headers.RetryAfter = wait.TotalSeconds.ToString(CultureInfo.InvariantCulture);
        return ErrorReply.TooManyRequests().WriteAsync(context.Response);
    }

    /// <summary>Takes a request out of an address's bucket.</summary>
    /// <param name="address">The address.</param>
    /// <returns>How long the client is to wait, in whole seconds, when there is none left.</returns>
    internal TimeSpan? Admit(IPAddress? address)
    {
        var perMinute = _perMinute;
        if (address is null || (perMinute == 0 && IPAddress.IsLoopback(address)))
            return null;
        using var lease = _limiter.Value.AttemptAcquire(new Bucket(Network(address), perMinute == 0 ? ServerLimits.DefaultRequestsPerMinute : perMinute));
        if (lease.IsAcquired)
            return null;
        var wait = lease.TryGetMetadata(MetadataName.RetryAfter, out var known) ? known : Minute;
        return TimeSpan.FromSeconds(Math.Clamp(Math.Ceiling(wait.TotalSeconds), 1, Minute.TotalSeconds));
    }

    public void Dispose()
    {
        if (_limiter.IsValueCreated)
            _limiter.Value.Dispose();
    }

    /// <summary>One machine may have a whole /64 of IPv6 to itself, and ask from a new address of it each time.</summary>
    private static IPAddress Network(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
            return address.MapToIPv4();
        if (address.AddressFamily != AddressFamily.InterNetworkV6)
            return address;
        var bytes = address.GetAddressBytes();
        bytes.AsSpan(8).Clear();
        return new IPAddress(bytes);
    }

    private static TokenBucketRateLimiterOptions OptionsOf(Bucket bucket) => new()
    {
        TokenLimit = bucket.PerMinute,
        TokensPerPeriod = Math.Max(1, bucket.PerMinute / 60),
        ReplenishmentPeriod = bucket.PerMinute >= 60 ? TimeSpan.FromSeconds(1) : Minute / bucket.PerMinute,
        QueueLimit = 0,
    };

    private readonly record struct Bucket(IPAddress Network, int PerMinute);
}
