using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace FleetLock.Server;

/// <summary>The credentials that a server knows. It does not change: a new configuration is a new one of these.</summary>
internal sealed class AccessRules
{
    private const string CommonName = "2.5.4.3";

    private readonly Dictionary<long, List<(byte[] Hash, Caller Caller)>> _tokens = [];
    private readonly List<Credential> _certificates = [];

    // A connection keeps its certificate for its life, and asks often.
    private readonly ConditionalWeakTable<X509Certificate2, Caller?> _ofCertificates = [];

    /// <summary>Takes the credentials.</summary>
    /// <param name="credentials">The credentials.</param>
    /// <exception cref="FleetLockInputException">A token's hash is none.</exception>
    internal AccessRules(IReadOnlyList<Credential> credentials)
    {
        foreach (var credential in credentials)
        {
            if (credential.Sha256 is null)
                _certificates.Add(credential);
            else if (!Credential.IsHash(credential.Sha256))
                throw new FleetLockInputException("tokens", $"The sha256 of the token '{ProtocolRules.Show(credential.Name)}' is not of 64 hexadecimal digits.");
            else
                AddToken(Convert.FromHexString(credential.Sha256), new Caller(credential, [credential.Name]));
        }

        // The rule for every certificate is for those that have none of their own.
        _certificates = [.. _certificates.OrderBy(rule => rule.Name == Credential.AnyName)];
    }

    /// <summary>True when no credential is configured.</summary>
    internal bool AreEmpty => _tokens.Count == 0 && _certificates.Count == 0;

    /// <summary>Finds who a token belongs to.</summary>
    /// <param name="token">The token.</param>
    /// <returns>The caller, or <see langword="null"/> when nobody has that token.</returns>
    internal Caller? FindToken(string token)
    {
        // Found by the beginning of the hash, of which the time tells nothing about the token; and compared in fixed time.
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(token));
        Caller? found = null;
        foreach (var candidate in _tokens.GetValueOrDefault(BitConverter.ToInt64(hash), []))
        {
            if (CryptographicOperations.FixedTimeEquals(candidate.Hash, hash))
                found = candidate.Caller;
        }

        return found;
    }

    /// <summary>Finds who a client certificate belongs to, which the handshake has found to be good.</summary>
    /// <param name="certificate">The certificate.</param>
    /// <returns>The caller, or <see langword="null"/> when no rule is for it.</returns>
    internal Caller? FindCertificate(X509Certificate2 certificate) => _ofCertificates.GetValue(certificate, Match);

    private void AddToken(byte[] hash, Caller caller)
    {
        var key = BitConverter.ToInt64(hash);
        if (!_tokens.TryGetValue(key, out var callers))
            _tokens[key] = callers = [];
        callers.Add((hash, caller));
    }

    private Caller? Match(X509Certificate2 certificate)
    {
        var names = NamesOf(certificate);
        foreach (var rule in _certificates)
        {
            if (rule.Name == Credential.AnyName)
                return new Caller(rule, names);
            if (names.Contains(rule.Name, StringComparer.OrdinalIgnoreCase))
                return new Caller(rule, [rule.Name]);
        }

        return null;
    }

    private static List<string> NamesOf(X509Certificate2 certificate)
    {
        try
        {
            return
            [
                .. certificate.SubjectName.EnumerateRelativeDistinguishedNames()
                    .Where(part => !part.HasMultipleElements && part.GetSingleElementType().Value == CommonName)
                    .Select(part => part.GetSingleElementValue())
                    .OfType<string>(),
                .. certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().SelectMany(names => names.EnumerateDnsNames()),
            ];
        }
        catch (CryptographicException)
        {
            // A name that cannot be read is no name.
            return [];
        }
    }
}
