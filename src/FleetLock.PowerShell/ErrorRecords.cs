using System.Management.Automation;

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

    /// <summary>A value that breaks its rule, or is missing. Nothing was sent.</summary>
    internal static ErrorRecord From(FleetLockInputException exception) => new(
        exception,
        exception.Setting switch
        {
            "url" => "FleetServerInvalid",
            "group" => "FleetGroupInvalid",
            "id" => "FleetNodeIdInvalid",
            "application id" => "FleetApplicationIdInvalid",
            _ => "FleetMachineIdInvalid",
        },
        ErrorCategory.InvalidArgument,
        exception.Setting);

    private static bool IsAboutPermission(FleetLockResult result) => result.HttpStatus is 401 or 403 || result.Kind is "invalid_client_identity" or "unauthorized_request";
}
