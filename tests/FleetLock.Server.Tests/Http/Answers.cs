using System.Text;
using System.Text.Json;
using FleetLock.TestKit;

namespace FleetLock.Server.Tests;

internal static class Answers
{
    /// <summary>"Exactly 200 means done", with nothing in it that a client could take for something else.</summary>
    internal static void AssertDone(RawResponse answer)
    {
        Assert.Equal((200, "0", ""), (answer.Status, answer.Header("Content-Length"), answer.Body));
        Assert.Null(answer.Header("Content-Type"));
    }

    /// <summary>A FleetLock error and nothing else: JSON that says so, with two members, both non-empty and fit for a terminal.</summary>
    /// <param name="status">The expected status code.</param>
    /// <param name="kind">The expected kind.</param>
    /// <param name="answer">The answer.</param>
    internal static void AssertRefused(int status, string kind, RawResponse answer) => Assert.Equal((status, kind), (answer.Status, ReadError(answer).Kind));

    /// <summary>The same, of an error whose value has to name something.</summary>
    /// <param name="status">The expected status code.</param>
    /// <param name="kind">The expected kind.</param>
    /// <param name="named">What the value names: what the client sent, or a limit.</param>
    /// <param name="answer">The answer.</param>
    internal static void AssertRefused(int status, string kind, string named, RawResponse answer)
    {
        AssertRefused(status, kind, answer);
        Assert.Contains(named, ReadError(answer).Value, StringComparison.Ordinal);
    }

    internal static (string Kind, string Value) ReadError(RawResponse answer)
    {
        Assert.Equal("application/json", answer.Header("Content-Type"));
        Assert.Equal(Encoding.UTF8.GetByteCount(answer.Body), int.Parse(answer.Header("Content-Length")!, null));

        using var json = JsonDocument.Parse(answer.Body);
        Assert.Equal(["kind", "value"], json.RootElement.EnumerateObject().Select(member => member.Name));
        var (kind, value) = (json.RootElement.GetProperty("kind").GetString()!, json.RootElement.GetProperty("value").GetString()!);
        Assert.NotEmpty(kind);
        Assert.NotEmpty(value);
        Assert.DoesNotContain(value, char.IsControl);
        return (kind, value);
    }
}
