namespace FleetLock.TestKit;

/// <summary>When a test is taken to hang.</summary>
public static class TestTimeout
{
    /// <summary>Far longer than anything takes on the busiest machine: it ends a test that hangs, and proves nothing by itself.</summary>
    public static readonly TimeSpan Hang = TimeSpan.FromMinutes(2);
}
