using System.Globalization;

namespace FleetLock.Server;

/// <summary>The rules that each value of <see cref="ServerSettings"/> keeps, wherever it was given. Pure.</summary>
internal static class ServerSettingsRules
{
    private const int MaxSeconds = 24 * 3600;

    /// <summary>Checks each value alone; <see cref="ServerConfiguration"/> checks how they go together.</summary>
    /// <param name="settings">The settings.</param>
    /// <param name="nameOf">How a message names a member: as the file's, or as the command line's option.</param>
    /// <exception cref="FleetLockInputException">A value breaks its rule; the message names both.</exception>
    internal static void Check(ServerSettings settings, Func<string, string> nameOf)
    {
        if (settings.Data is not null && settings.Etcd is not null)
            throw Fault("data", $"{nameOf("data")} and {nameOf("etcd")} do not go together: the semaphores are kept in one place.");
        if (settings.Listen is { } listen)
            CheckListen(listen, nameOf("listen"));
        if (settings.Groups is { } groups)
            CheckGroups(groups, nameOf("groups"));
        RequireText(settings.Data, "data", "a file", nameOf);
        if (settings.Etcd is { } etcd)
            CheckEtcd(etcd, nameOf);
        if (settings.Tls is { } tls)
            CheckTls(tls, nameOf);
        if (settings.Tokens is { } tokens)
            CheckTokens(tokens, nameOf);
        if (settings.ClientCertificates is { } certificates)
            CheckCertificates(certificates, nameOf);
        if (settings.Limits is { } limits)
            CheckLimits(limits, nameOf);
        RequireOneOf(settings.Log, "log", ["text", "json"], nameOf);
    }

    private static void CheckListen(IReadOnlyList<string> texts, string name)
    {
        if (texts.Count == 0)
            throw Fault("listen", $"{name} is empty; it takes at least one address.");
        foreach (var text in texts)
        {
            if (!Uri.TryCreate(text, UriKind.Absolute, out var listen) || !ListenAddress.IsGood(listen))
                throw Fault("listen", $"{name}: the {ListenAddress.Fault(text)}.");
        }
    }

    private static void CheckGroups(IReadOnlyDictionary<string, int> groups, string name)
    {
        if (groups.Count == 0)
            throw Fault("groups", $"{name} is empty; it takes at least one group with its slots.");
        foreach (var (group, slots) in groups)
        {
            if (ProtocolRules.FaultOfGroup(group) is { } fault)
                throw Fault("groups", $"{name}: {fault}.");
            if (slots is < 0 or > FleetLockServerOptions.MaxSlots)
                throw Fault("groups", $"{name}: the group '{group}' has {slots} slots; it takes 0 to {FleetLockServerOptions.MaxSlots}.");
        }
    }

    private static void CheckEtcd(EtcdSettings etcd, Func<string, string> nameOf)
    {
        if (etcd.Endpoints is { } endpoints)
        {
            if (endpoints.Count == 0)
                throw Fault("etcd", $"{nameOf("etcd.endpoints")} is empty; it takes at least one endpoint.");
            foreach (var endpoint in endpoints)
            {
                var isEndpoint = Uri.TryCreate(endpoint, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"
                    && uri.Host.Length > 0 && uri.PathAndQuery == "/" && uri.Fragment.Length == 0 && uri.UserInfo.Length == 0;
                if (!isEndpoint)
                    throw Fault("etcd", $"{nameOf("etcd.endpoints")}: '{(uri is null ? ProtocolRules.Show(endpoint) : EtcdStoreOptions.Show(uri))}' is not of the form http://HOST:PORT or https://HOST:PORT.");
            }
        }

        RequireText(etcd.CaCertificate, "etcd.caCertificate", "a PEM file", nameOf);
        RequireText(etcd.Certificate, "etcd.certificate", "a PEM file", nameOf);
        RequireText(etcd.Key, "etcd.key", "a PEM file", nameOf);
        RequireText(etcd.User, "etcd.user", "a user's name", nameOf);
        RequireText(etcd.PasswordFile, "etcd.passwordFile", "a file", nameOf);
        RequireNumber(etcd.TimeoutSeconds, "etcd.timeoutSeconds", 1, (int)EtcdStoreOptions.MaxTimeout.TotalSeconds, nameOf);
    }

    private static void CheckTls(TlsSettings tls, Func<string, string> nameOf)
    {
        RequireText(tls.Certificate, "tls.certificate", "a PEM or PFX file", nameOf);
        RequireText(tls.Key, "tls.key", "a PEM file", nameOf);
        RequireText(tls.PasswordFile, "tls.passwordFile", "a file", nameOf);
        RequireText(tls.ClientCa, "tls.clientCa", "a PEM file", nameOf);
        RequireOneOf(tls.ClientCertificate, "tls.clientCertificate", ["none", "allow", "require"], nameOf);
    }

    private static void CheckTokens(IReadOnlyList<CredentialSettings> tokens, Func<string, string> nameOf)
    {
        foreach (var (index, token) in tokens.Index())
        {
            var place = $"tokens[{index}]";
            CheckCredential(token, place, nameOf);
            if (token.Sha256 is not { } hash)
                throw Fault("tokens", $"{nameOf(place)} has no sha256; 'fleetlockctl token' makes a token with its sha256.");
            if (!Credential.IsHash(hash))
                throw Fault("tokens", $"{nameOf(place + ".sha256")} takes 64 hexadecimal digits, the SHA-256 of the token.");
            if (tokens.Take(index).Any(other => other.Name == token.Name))
                throw Fault("tokens", $"{nameOf(place + ".name")} is '{token.Name}', as another token's is; each has a name of its own.");
            if (tokens.Take(index).Any(other => string.Equals(other.Sha256, hash, StringComparison.OrdinalIgnoreCase)))
                throw Fault("tokens", $"{nameOf(place + ".sha256")} is that of another token; each is a token of its own.");
        }
    }

    private static void CheckCertificates(IReadOnlyList<CredentialSettings> certificates, Func<string, string> nameOf)
    {
        foreach (var (index, certificate) in certificates.Index())
        {
            var place = $"clientCertificates[{index}]";
            CheckCredential(certificate, place, nameOf);
            if (certificate.Sha256 is not null)
                throw Fault("clientCertificates", $"{nameOf(place + ".sha256")} is for tokens; a client certificate is known by its name.");
            if (certificates.Take(index).Any(other => string.Equals(other.Name, certificate.Name, StringComparison.OrdinalIgnoreCase)))
                throw Fault("clientCertificates", $"{nameOf(place + ".name")} is '{certificate.Name}', as another's is; each has a name of its own.");
        }
    }

    private static void CheckCredential(CredentialSettings credential, string place, Func<string, string> nameOf)
    {
        if (ProtocolRules.FaultOfId(credential.Name) is not null)
            throw Fault("credentials", $"{nameOf(place + ".name")} takes 1 to {ProtocolRules.MaxIdLength} printable characters.");
        if (credential.Role is null)
            throw Fault("credentials", $"{nameOf(place)} has no role; it must be node, observer or admin.");
        if (credential.Role is not ("node" or "observer" or "admin"))
            throw Fault("credentials", $"{nameOf(place)} has the role '{ProtocolRules.Show(credential.Role)}'; it must be node, observer or admin.");

        var restricted = credential.Ids is not null || credential.Groups is not null || credential.OwnIdOnly is not null;
        if (restricted && credential.Role != "node")
            throw Fault("credentials", $"{nameOf(place)} has the role {credential.Role}; ids, groups and ownIdOnly are for the role node, because only that is restricted by them.");
        if (credential.Ids?.Select(ProtocolRules.FaultOfId).FirstOrDefault(fault => fault is not null) is { } idFault)
            throw Fault("credentials", $"{nameOf(place + ".ids")}: {idFault}.");
        if (credential.Groups?.Select(ProtocolRules.FaultOfGroup).FirstOrDefault(fault => fault is not null) is { } groupFault)
            throw Fault("credentials", $"{nameOf(place + ".groups")}: {groupFault}.");
    }

    private static void CheckLimits(LimitSettings limits, Func<string, string> nameOf)
    {
        RequireNumber(limits.MaxConnections, "limits.maxConnections", 1, 1_000_000, nameOf);
        RequireNumber(limits.HeaderTimeoutSeconds, "limits.headerTimeoutSeconds", 1, MaxSeconds, nameOf);
        RequireNumber(limits.BodyTimeoutSeconds, "limits.bodyTimeoutSeconds", 2, MaxSeconds, nameOf);
        RequireNumber(limits.RequestsPerMinutePerAddress, "limits.requestsPerMinutePerAddress", 1, 1_000_000_000, nameOf);
        RequireNumber(limits.MaxWaitSeconds, "limits.maxWaitSeconds", 0, MaxSeconds, nameOf);
    }

    private static void RequireText(string? text, string member, string takes, Func<string, string> nameOf)
    {
        if (text is not null && (string.IsNullOrWhiteSpace(text) || !TerminalText.IsPrintable(text)))
            throw Fault(member, text.Length == 0 ? $"{nameOf(member)} is empty; it takes {takes}." : $"{nameOf(member)} is '{ProtocolRules.Show(text)}'; it takes {takes}.");
    }

    private static void RequireNumber(int? number, string member, int least, int most, Func<string, string> nameOf)
    {
        if (number < least || number > most)
            throw Fault(member, string.Create(CultureInfo.InvariantCulture, $"{nameOf(member)} is {number}; it takes {least} to {most}."));
    }

    private static void RequireOneOf(string? text, string member, string[] values, Func<string, string> nameOf)
    {
        if (text is not null && !values.Contains(text))
            throw Fault(member, $"{nameOf(member)} is '{ProtocolRules.Show(text)}'; it must be {string.Join(", ", values[..^1])} or {values[^1]}.");
    }

    private static FleetLockInputException Fault(string setting, string message) => new(setting, message);
}
