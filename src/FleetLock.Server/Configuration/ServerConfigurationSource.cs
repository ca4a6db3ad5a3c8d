namespace FleetLock.Server;

/// <summary>Where a server's configuration comes from: the command line, and a file, which may change.</summary>
public sealed class ServerConfigurationSource
{
    private readonly ServerSettings _given;
    private byte[]? _seen;

    /// <summary>Names the sources.</summary>
    /// <param name="given">What the command line says; it counts before the file.</param>
    /// <param name="options">How the command line names each member that it can say: <c>tls.certificate</c> as <c>--tls-cert</c>.</param>
    /// <param name="path">The file; <see langword="null"/> when there is none.</param>
    /// <exception cref="FleetLockInputException">A value of the command line breaks its rule.</exception>
    public ServerConfigurationSource(ServerSettings given, IReadOnlyDictionary<string, string> options, string? path)
    {
        ArgumentNullException.ThrowIfNull(given);
        ArgumentNullException.ThrowIfNull(options);
        _given = given;
        Path = path is null or "" ? path : System.IO.Path.GetFullPath(path);
        ServerSettingsRules.Check(given, member => options.GetValueOrDefault(member.Split('[')[0], member));
    }

    /// <summary>The file's full path.</summary>
    public string? Path { get; }

    /// <summary>Checks an entry of <see cref="ServerSettings.Tokens"/>.</summary>
    /// <param name="token">The entry.</param>
    /// <exception cref="FleetLockInputException">A value of it breaks its rule.</exception>
    public static void RequireToken(CredentialSettings token) =>
        ServerSettingsRules.Check(new ServerSettings { Tokens = [token] }, member => member.Replace("tokens[0]", "the token", StringComparison.Ordinal));

    /// <summary>Reads the file, and puts both together.</summary>
    /// <returns>The configuration.</returns>
    /// <exception cref="FleetLockInputException">The file cannot be read, or something is wrong in it, or with both together.</exception>
    public ServerConfiguration Load()
    {
        if (Path is null)
            return ServerConfiguration.From(_given);
        _seen = ReadFile(Path);
        var settings = _given.Over(ServerSettingsFile.Read(_seen, Path));
        try
        {
            return ServerConfiguration.From(settings);
        }
        catch (FleetLockInputException e)
        {
            throw new FleetLockInputException(e.Setting, $"{Path}: {e.Message}", e);
        }
    }

    /// <summary>Tells whether the file is another than when it was loaded last, well or not.</summary>
    /// <returns>True when it is.</returns>
    /// <exception cref="FleetLockInputException">The file cannot be read.</exception>
    internal bool HasChanged() => Path is not null && !ReadFile(Path).AsSpan().SequenceEqual(_seen);

    private static byte[] ReadFile(string path)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new FleetLockInputException("config", path.Length == 0 ? "The configuration file's name (--config) is empty." : $"The configuration file {path} cannot be read: {e.Message}", e);
        }
    }
}
