using System.Management.Automation;
using System.Management.Automation.Language;

namespace FleetLock.PowerShell;

/// <summary>Every error record of the module: one stable id and one category for each way to fail. The ids are never reused.</summary>
internal static class ErrorRecords
{
    /// <summary>A slot that was not granted or not released.</summary>
    internal static ErrorRecord From(FleetLockResult result)
    {
        var (errorId, category) = result.Status switch
        {
            FleetLockStatus.Busy => ("FleetGroupBusy", ErrorCategory.ResourceBusy),
            FleetLockStatus.Pending => ("FleetGroupPending", ErrorCategory.ResourceBusy),
            FleetLockStatus.Refused => ("FleetGroupRefused", IsAboutPermission(result) ? ErrorCategory.PermissionDenied : ErrorCategory.InvalidArgument),
            FleetLockStatus.Unreachable => ("FleetServerUnreachable", ErrorCategory.ConnectionError),
            FleetLockStatus.TimedOut => ("FleetRequestTimedOut", ErrorCategory.OperationTimeout),
            _ => ("FleetProtocolError", ErrorCategory.ProtocolError),
        };
        return new ErrorRecord(new FleetLockException(result), errorId, category, result);
    }

    /// <summary>A slot that was taken for a block and not released; it says how to release it later.</summary>
    internal static ErrorRecord FromRelease(FleetLockResult result)
    {
        var record = From(result);
        record.ErrorDetails = new ErrorDetails($"{record.Exception.Message} To release it later: {UnlockCommand(result.Group, result.Id)}");
        return record;
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
            _ => "FleetMachineIdInvalid",
        },
        ErrorCategory.InvalidArgument,
        exception.Setting);

    /// <summary>The machine's file lock cannot be used.</summary>
    internal static ErrorRecord FromRunLock(System.IO.IOException exception) => new(exception, "FleetRunLockUnusable", ErrorCategory.ResourceUnavailable, null);

    private static bool IsAboutPermission(FleetLockResult result) => result.HttpStatus is 401 or 403 || result.Kind is "invalid_client_identity" or "unauthorized_request";
}
