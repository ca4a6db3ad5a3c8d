using System.Text.Json.Serialization;

namespace FleetLock.Cli.Commands;

/// <summary>A setting as <c>config --output json</c> prints it: without secrets.</summary>
internal sealed record ShownSetting(string Name, string? Value, string Source);

/// <summary>A grant as <c>recursive-lock --output json</c> prints it; null is what the server does not report.</summary>
internal sealed record ShownGrant(string Group, string Id, string Server, string? GrantId, bool? IsNewGrant);

/// <summary>The JSON that commands print: generated code, so that trimming and start-up time do not suffer.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(List<FleetLockCheck>))]
[JsonSerializable(typeof(List<ShownSetting>))]
[JsonSerializable(typeof(ShownGrant))]
internal sealed partial class OutputJson : JsonSerializerContext;
