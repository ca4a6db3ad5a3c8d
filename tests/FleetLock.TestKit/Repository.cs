namespace FleetLock.TestKit;

/// <summary>The checkout that the tests run in.</summary>
public static class Repository
{
    /// <summary>The folder with the solution.</summary>
    public static string Root { get; } = Find();

    /// <summary>A file or folder of the checkout.</summary>
    /// <param name="parts">Its path below the root.</param>
    public static string PathOf(params string[] parts) => Path.Combine([Root, .. parts]);

    /// <summary>What a project was built into, in the configuration of the running tests.</summary>
    /// <param name="folder">The folder that the project is in: <c>src</c> or <c>tests</c>.</param>
    /// <param name="project">The project's name.</param>
    /// <param name="framework">The target framework's folder.</param>
    /// <param name="file">The file's name.</param>
    public static string Built(string folder, string project, string framework, string file)
    {
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        return PathOf(folder, project, "bin", configuration, framework, file);
    }

    private static string Find()
    {
        // Not the folder of the program: for the Pester suite that is PowerShell's own.
        var start = Path.GetDirectoryName(typeof(Repository).Assembly.Location);
        for (var folder = start; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "FleetLock.slnx")))
                return folder;
        }

        throw new InvalidOperationException($"There is no FleetLock.slnx above {start}.");
    }
}
