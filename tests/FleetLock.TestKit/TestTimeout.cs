namespace FleetLock.TestKit;

/// <summary>When a test is taken to hang.</summary>
public static class TestTimeout
{
    /// <summary>Far longer than anything takes on the busiest machine: it ends a test that hangs, and proves nothing by itself.</summary>
    public static readonly TimeSpan Hang = TimeSpan.FromMinutes(2);

    /// <summary>
    /// Uses a time-out that is to pass, but not before something has happened that nothing tells from outside: on a machine that is too busy for a
    /// short one, the same is done with longer and longer ones.
    /// </summary>
    /// <typeparam name="T">What comes of it.</typeparam>
    /// <param name="use">Does it, with a time-out in whole seconds.</param>
    /// <param name="isLongEnough">Whether it happened.</param>
    /// <returns>What came of it in the end.</returns>
    public static async Task<T> LongEnoughAsync<T>(Func<int, Task<T>> use, Func<T, bool> isLongEnough)
    {
        for (var seconds = 1; ; seconds *= 4)
        {
            var result = await use(seconds);
            if (isLongEnough(result) || seconds > Hang.TotalSeconds)
                return result;
        }
    }
}
