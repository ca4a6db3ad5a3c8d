using System.Management.Automation;
using System.Management.Automation.Language;

namespace FleetLock.PowerShell;

/// <summary>Every error record of the module: one stable id and one category for each way to fail. The ids are never reused.</summary>
/// <remarks>
/// What to do next is in the message and nowhere else: Windows PowerShell does not show an ErrorDetails.RecommendedAction, and PowerShell 7.6
/// would show it a second time.
/// </remarks>
internal static class ErrorRecords
{
    private const string GroupNotFound = "FleetGroupNotFound";
    private const string WaitOption = "-Wait";

    /// <summary>A slot that was not granted or not released.</summary>
    /// <param name="result">The result.</param>
    /// <param name="leak">What its undo left at the server, if anything.</param>
    internal static ErrorRecord From(FleetLockResult result, PossibleLeak? leak = null)
    {
        var (errorId, category) = Of(result.Status, result.HttpStatus, result.Kind);
        var exception = new FleetLockException(result, Advice.For(result, WaitOption), leak is null ? null : Describe(leak));
        return new ErrorRecord(exception, errorId, category, result);
    }

    /// <summary>What an undo left at the server, and the command that releases it.</summary>
    internal static string Describe(PossibleLeak leak) => leak.Describe($"release it with: {UnlockCommand(leak.Group, leak.Id)}");

    /// <summary>Groups that were not shown, or a group that was not changed.</summary>
    internal static ErrorRecord From(FleetGroupsException exception, object target)
    {
        var (errorId, category) = exception.Kind == ErrorKinds.UnknownGroup
            ? (GroupNotFound, ErrorCategory.ObjectNotFound)
            : Of(exception.Status, exception.HttpStatus, exception.Kind);
        return new ErrorRecord(exception, errorId, category, target);
    }

    /// <summary>A group that is not in the server's list.</summary>
    internal static ErrorRecord NoSuchGroup(string group, ServerAddress server)
    {
        var exception = new ItemNotFoundException($"{server} has no group '{ProtocolRules.Show(group)}'. Get-FleetGroup without a name lists those that it has.");
        return new ErrorRecord(exception, GroupNotFound, ErrorCategory.ObjectNotFound, group);
    }

    /// <summary>A slot that was taken for a block and not released; it says how to release it later.</summary>
    internal static ErrorRecord FromRelease(FleetLockResult result)
    {
        var (errorId, category) = Of(result.Status, result.HttpStatus, result.Kind);
        var hint = result.Kind == ErrorKinds.NotHeld
            ? "The slot was lost before the block ended: somebody else has released it."
            : $"To release it later: {UnlockCommand(result.Group, result.Id)}";
        var exception = new FleetLockException(result, Advice.For(result), hint);
        return new ErrorRecord(exception, errorId, category, result);
    }

    /// <summary>The command that releases a slot.</summary>
    internal static string UnlockCommand(string group, string id) => $"Unlock-FleetGroup -Group {group} -Id '{CodeGeneration.EscapeSingleQuotedStringContent(id)}'";

    /// <summary>A value that breaks its rule, or is missing. Nothing was sent.</summary>
    internal static ErrorRecord From(FleetLockInputException exception) => new(
        exception,
        exception.Setting switch
        {
            "url" => "FleetServerInvalid",
            "group" => "FleetGroupInvalid",
            "id" => "FleetNodeIdInvalid",
            "application id" => "FleetApplicationIdInvalid",
            "configuration" => "FleetConfigurationInvalid",
            "timeout" => "FleetTimeoutInvalid",
            "token" => "FleetTokenInvalid",
            "certificate" => "FleetCertificateInvalid",
            "header" => "FleetHeaderInvalid",
            "proxy" => "FleetProxyInvalid",
            "reason" => "FleetReasonInvalid",
            "grantId" => "FleetGrantIdInvalid",
            "slots" => "FleetSlotsInvalid",
            "data" => "FleetServerDataInvalid",
            _ => "FleetMachineIdInvalid",
        },
        ErrorCategory.InvalidArgument,
        exception.Setting);

    /// <summary>The machine's file lock cannot be used.</summary>
    internal static ErrorRecord FromRunLock(System.IO.IOException exception) => new(exception, "FleetRunLockUnusable", ErrorCategory.ResourceUnavailable, null);

    /// <summary>A server of one's own that did not start.</summary>
    internal static ErrorRecord From(LocalServerException exception, string target) => new(exception, "FleetServerNotStarted", ErrorCategory.OpenError, target);

    private static (string ErrorId, ErrorCategory Category) Of(FleetLockStatus status, int? httpStatus, string? kind) => status switch
    {
        FleetLockStatus.Busy => ("FleetGroupBusy", ErrorCategory.ResourceBusy),
        FleetLockStatus.Pending => ("FleetGroupPending", ErrorCategory.ResourceBusy),
        FleetLockStatus.Refused when kind == ErrorKinds.ClientGrantKept => ("FleetGrantKept", ErrorCategory.ResourceBusy),
        FleetLockStatus.Refused => ("FleetGroupRefused", IsAboutPermission(httpStatus, kind) ? ErrorCategory.PermissionDenied : ErrorCategory.InvalidArgument),
        FleetLockStatus.Unreachable => ("FleetServerUnreachable", ErrorCategory.ConnectionError),
        FleetLockStatus.TimedOut => ("FleetRequestTimedOut", ErrorCategory.OperationTimeout),
        _ => ("FleetProtocolError", ErrorCategory.ProtocolError),
    };

    private static bool IsAboutPermission(int? httpStatus, string? kind) => httpStatus is 401 or 403 || kind is "invalid_client_identity" or "unauthorized_request";
}
