using System.Text;
using Microsoft.Extensions.Time.Testing;
using static FleetLock.Server.Tests.Sample;

namespace FleetLock.Server.Tests;

/// <summary>What is counted without a socket, and how it is written.</summary>
[Trait("Lane", "Fast")]
public sealed class ServerMetricsTests
{
    private readonly ServerMetrics _metrics = new();

    [Fact]
    public async Task Saves_and_conflicts_are_counted_and_timed()
    {
        await using var store = new StagedStore();
        await using var coordinator = new GroupCoordinator(Group, store, new FakeTimeProvider(Since), _metrics);
        await coordinator.ConfigureAsync(1);
        store.ConflictWithNextSave(semaphore => semaphore.Lock("other", null, Since).Next);

        await coordinator.UnlockAsync("a");

        var scrape = Read();
        Assert.Equal((3, 1, 0), (scrape["fleetlock_store_seconds_count"], scrape["fleetlock_store_conflicts_total"], scrape["fleetlock_store_failures_total"]));
    }

    [Fact]
    public async Task A_save_that_fails_is_counted_once_and_is_no_answer()
    {
        await using var store = new StagedStore();
        await using var coordinator = new GroupCoordinator(Group, store, new FakeTimeProvider(Since), _metrics);
        store.FailNextSave(new SemaphoreStoreException("the disk is full"));

        await Assert.ThrowsAsync<SemaphoreStoreException>(() => coordinator.ConfigureAsync(1));

        var scrape = Read();
        Assert.Equal((0, 1), (scrape["fleetlock_store_seconds_count"], scrape["fleetlock_store_failures_total"]));
    }

    [Theory]
    [InlineData(0, 0.0001)]
    [InlineData(0.0001, 0.0001)]
    [InlineData(0.0002, 0.00025)]
    [InlineData(0.75, 1)]
    [InlineData(10, 10)]
    public void A_time_is_counted_in_the_first_bucket_that_it_fits_in_and_in_all_after_it(double seconds, double bound)
    {
        var text = new MetricsText();
        var histogram = new Histogram();
        histogram.Observe(TimeSpan.FromSeconds(seconds));
        histogram.Write(text, "some_seconds", "Some.");

        var scrape = Scrape.Parse(Encoding.UTF8.GetString(text.ToUtf8()));

        Assert.Equal((seconds, 1), (scrape["some_seconds_sum"], scrape["some_seconds_count"]));
        Assert.All(scrape.Samples, sample =>
        {
            if (sample.Key.Contains("le=\"", StringComparison.Ordinal) && !sample.Key.Contains("Inf", StringComparison.Ordinal))
                Assert.Equal(double.Parse(sample.Key.Split('"')[1], null) >= bound ? 1 : 0, sample.Value);
        });
    }

    [Fact]
    public void What_is_longer_than_all_buckets_is_in_the_last()
    {
        var text = new MetricsText();
        var histogram = new Histogram();
        histogram.Observe(TimeSpan.FromMinutes(1));
        histogram.Write(text, "some_seconds", "Some.");

        var scrape = Scrape.Parse(Encoding.UTF8.GetString(text.ToUtf8()));

        Assert.Equal((0, 1), (scrape["some_seconds_bucket{le=\"10\"}"], scrape["some_seconds_bucket{le=\"+Inf\"}"]));
    }

    [Fact]
    public void Labels_and_help_are_escaped()
    {
        var text = new MetricsText();
        text.Begin("some_gauge", "gauge", "One \\ two\nthree.");
        text.Sample("some_gauge", 0.5, ("a", "back\\slash"), ("b", "quo\"te\nline"));

        Assert.Equal(
            "# HELP some_gauge One \\\\ two\\nthree.\n# TYPE some_gauge gauge\nsome_gauge{a=\"back\\\\slash\",b=\"quo\\\"te\\nline\"} 0.5\n",
            Encoding.UTF8.GetString(text.ToUtf8()));
    }

    private Scrape Read()
    {
        var text = new MetricsText();
        _metrics.Write(text);
        return Scrape.Parse(Encoding.UTF8.GetString(text.ToUtf8()));
    }
}
