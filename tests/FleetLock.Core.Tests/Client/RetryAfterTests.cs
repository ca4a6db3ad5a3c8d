using FleetLock.TestKit;
using Microsoft.Extensions.Time.Testing;

namespace FleetLock.Core.Tests;

/// <summary>The server's <c>Retry-After</c>, in both of its forms.</summary>
public sealed class RetryAfterTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    public static readonly TheoryData<string, int?> Headers = new()
    {
        { "Retry-After: 0", 0 },
        { "Retry-After: 7", 7 },
        { "Retry-After: 86400", 86400 },
        { "Retry-After: Sun, 01 Mar 2026 12:00:30 GMT", 30 },
        { "Retry-After: Sun, 01 Mar 2026 11:00:00 GMT", 0 },
        { "Retry-After: -5", null },
        { "Retry-After: 1.5", null },
        { "Retry-After: 99999999999999999999", null },
        { "Retry-After: soon", null },
        { "Retry-After:", null },
        { "X-Other: 7", null },
    };

    [Theory]
    [MemberData(nameof(Headers))]
    public async Task The_header_is_read_as_seconds_or_as_a_date_and_nonsense_is_ignored(string header, int? seconds)
    {
        await using var server = new RawServer(RawAnswer.Http(429, """{"kind":"request_ratelimit","value":"slow down"}""", header));
        using var client = Exchange.ClientOf(server.Url, clock: new FakeTimeProvider(Now));

        var result = await client.SendAsync(FleetLockOperation.Lock);

        Assert.Equal(seconds is { } s ? TimeSpan.FromSeconds(s) : null, result.RetryAfter);
        Assert.Equal(Now, result.Time);
        Assert.Equal(TimeSpan.Zero, result.Elapsed);
    }
}
