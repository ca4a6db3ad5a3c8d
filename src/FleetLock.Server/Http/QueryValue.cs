using Microsoft.AspNetCore.Http;

namespace FleetLock.Server;

/// <summary>Reads a query parameter that has one value: of two values, nobody knows which one counts for a proxy or a log.</summary>
internal static class QueryValue
{
    /// <summary>Reads it.</summary>
    /// <param name="request">The request.</param>
    /// <param name="name">The parameter's name.</param>
    /// <param name="value">The value; empty when there is none.</param>
    /// <returns>What is wrong, for people; <see langword="null"/> unless the parameter is given more than once.</returns>
    internal static string? Read(HttpRequest request, string name, out string value)
    {
        var values = request.Query[name];
        value = values.Count == 1 ? values[0]! : "";
        return values.Count > 1 ? $"'?{name}=…' is given {values.Count} times; it must be given once" : null;
    }
}
