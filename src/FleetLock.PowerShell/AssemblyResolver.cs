#if !NET
using System.Management.Automation;
using System.Reflection;

namespace FleetLock.PowerShell;

/// <summary>
/// On Windows PowerShell, finds the assemblies that the module ships when one of them is asked for in another version: the host's
/// configuration file has no binding redirects for a module.
/// </summary>
public sealed class AssemblyResolver : IModuleAssemblyInitializer, IModuleAssemblyCleanup
{
    private static readonly string Folder = Path.GetDirectoryName(typeof(AssemblyResolver).Assembly.Location)!;

    /// <summary>Begins to help when the module is imported.</summary>
    public void OnImport() => AppDomain.CurrentDomain.AssemblyResolve += Resolve;

    /// <summary>Ends it when the module is removed.</summary>
    /// <param name="psModuleInfo">The module.</param>
    public void OnRemove(PSModuleInfo psModuleInfo) => AppDomain.CurrentDomain.AssemblyResolve -= Resolve;

    private static Assembly? Resolve(object sender, ResolveEventArgs request)
    {
        // Only for our own assemblies' sake: other modules look after themselves.
        if (request.RequestingAssembly is not { IsDynamic: false } asking || Path.GetDirectoryName(asking.Location) != Folder)
            return null;

        var path = Path.Combine(Folder, new AssemblyName(request.Name).Name + ".dll");
        return File.Exists(path) ? Assembly.LoadFrom(path) : null;
    }
}
#endif
