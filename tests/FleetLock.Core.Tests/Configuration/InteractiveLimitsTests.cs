namespace FleetLock.Core.Tests;

/// <summary>The limits for which a person waits, and that a host can set others.</summary>
[Trait("Lane", "Fast")]
public sealed class InteractiveLimitsTests
{
    [Fact]
    public void They_are_short()
    {
        Assert.Equal(TimeSpan.FromSeconds(0.7), InteractiveLimits.InterruptedRelease);
        Assert.Equal(TimeSpan.FromSeconds(3), InteractiveLimits.HolderLookup);
        Assert.Equal(TimeSpan.FromSeconds(1), InteractiveLimits.Completion);
        Assert.Equal(TimeSpan.FromSeconds(3), InteractiveLimits.CompletionFreshness);
        Assert.Equal(TimeSpan.FromSeconds(10), InteractiveLimits.ServerStop);
    }

    [Theory]
    [InlineData(null, 1)]
    [InlineData(60, 60)]
    [InlineData(0.25, 0.25)]
    [InlineData("60", 60)]
    [InlineData("0.25", 0.25)]
    [InlineData("", 1)]
    [InlineData("soon", 1)]
    [InlineData("NaN", 1)]
    [InlineData(-1, 1)]
    [InlineData(1e9, 1)]
    public void A_host_can_set_others(object? given, double expected)
    {
        AppDomain.CurrentDomain.SetData("FleetLock.CompletionSec", given);
        try
        {
            Assert.Equal(TimeSpan.FromSeconds(expected), InteractiveLimits.Completion);
        }
        finally
        {
            AppDomain.CurrentDomain.SetData("FleetLock.CompletionSec", null);
        }
    }
}
