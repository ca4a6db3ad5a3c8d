using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace FleetLock.Server;

/// <summary>Who may do what. Without credentials, the plain protocol works as Zincati expects, and administration is for the server's own machine.</summary>
internal sealed class AccessPolicy
{
    private const string Bearer = "Bearer ";
    private const string Basic = "Basic ";

    private volatile AccessRules _rules;

    /// <summary>Takes the credentials.</summary>
    /// <param name="rules">The credentials.</param>
    internal AccessPolicy(AccessRules rules) => _rules = rules;

    /// <summary>Takes other credentials; requests that are being judged are judged by the former.</summary>
    /// <param name="rules">The credentials.</param>
    internal void Replace(AccessRules rules) => _rules = rules;

    /// <summary>Judges a request: first who asks, then what the credential is for.</summary>
    /// <param name="context">The exchange.</param>
    /// <param name="right">What it needs.</param>
    /// <param name="group">The group that it is about, if that is known.</param>
    /// <param name="id">The node id that it is about, if that is known.</param>
    /// <returns>The refusal, or <see langword="null"/> when it is allowed.</returns>
    internal ErrorReply? Refuse(HttpContext context, Right right, string? group = null, string? id = null)
    {
        var rules = _rules;
        if (!rules.AreEmpty)
            return Refuse(new Presented(context), rules, right, group, id);
        return right == Right.Administer && !IsLocal(context)
            ? ErrorReply.Forbidden("without credentials configured, this is only for the server's own machine")
            : null;
    }

    /// <summary>A check whether the client of a request may still lock, which outlives the request's context.</summary>
    /// <param name="context">The HTTP context.</param>
    /// <param name="group">The group.</param>
    /// <param name="id">The node id.</param>
    /// <returns>The check.</returns>
    internal Func<bool> CreateLockCheck(HttpContext context, string group, string id)
    {
        var presented = new Presented(context);
        return () => _rules is var rules && (rules.AreEmpty || Refuse(presented, rules, Right.Node, group, id) is null);
    }

    private static ErrorReply? Refuse(in Presented presented, AccessRules rules, Right right, string? group, string? id)
    {
        if (Identify(presented, rules, out var fault) is not { } caller)
            return ErrorReply.Unauthorized(fault);
        return caller.FaultOf(right, group, id) is { } forbidden ? ErrorReply.Forbidden(forbidden) : null;
    }

    /// <summary>Who asks, for the log.</summary>
    /// <param name="context">The exchange.</param>
    /// <returns>The credential's name, if there is one, and the address.</returns>
    internal string WhoAsks(HttpContext context)
    {
        var address = context.Connection.RemoteIpAddress?.ToString() ?? "unknown";
        var rules = _rules;
        return !rules.AreEmpty && Identify(new Presented(context), rules, out _) is { } caller ? $"{ProtocolRules.Show(caller.Name)} ({address})" : address;
    }

    /// <summary>A token counts before a certificate: it is the more deliberate of the two. A bad one is refused, whatever certificate comes with it.</summary>
    private static Caller? Identify(in Presented presented, AccessRules rules, out string fault)
    {
        var header = presented.Authorization;
        if (header.Count > 1)
        {
            fault = $"the header 'Authorization' is there {header.Count} times; it must be there once";
            return null;
        }

        if (header.Count > 0)
        {
            fault = "the token is not one that this server knows";
            return TokenOf(header.ToString()) is { } token ? rules.FindToken(token) : null;
        }

        if (presented.Certificate is { } certificate)
        {
            fault = "the client certificate is good, but no rule of this server is for its name";
            return rules.FindCertificate(certificate);
        }

        fault = "this server takes a credential: 'Authorization: Bearer TOKEN', or a client certificate where it asks for one";
        return null;
    }

    /// <summary>The token, also as the password of Basic authentication, because a client that knows no tokens can carry one in its URL.</summary>
    private static string? TokenOf(string header)
    {
        if (header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase))
            return header[Bearer.Length..].Trim();
        if (!header.StartsWith(Basic, StringComparison.OrdinalIgnoreCase))
            return null;

        try
        {
            var pair = Encoding.UTF8.GetString(Convert.FromBase64String(header[Basic.Length..].Trim())).Split(':', 2);
            return pair is [_, var password] ? password : null;
        }
        catch (FormatException)
        {
            return null;
        }
    }

    /// <summary>A proxy on this machine makes every request look local; the headers that it adds show it.</summary>
    private static bool IsLocal(HttpContext context) =>
        context.Connection.RemoteIpAddress is { } address && IPAddress.IsLoopback(address)
        && !context.Request.Headers.ContainsKey("Forwarded") && !context.Request.Headers.ContainsKey("X-Forwarded-For");

    /// <summary>What a request presents of its client.</summary>
    private readonly struct Presented(HttpContext context)
    {
        internal StringValues Authorization { get; } = context.Request.Headers.Authorization;

        internal X509Certificate2? Certificate { get; } = context.Connection.ClientCertificate;
    }
}
