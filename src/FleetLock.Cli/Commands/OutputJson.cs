using System.Text.Json.Serialization;

namespace FleetLock.Cli.Commands;

/// <summary>A setting as <c>config --output json</c> prints it: without secrets.</summary>
internal sealed record ShownSetting(string Name, string? Value, string Source);

/// <summary>The JSON that commands print: generated code, so that trimming and start-up time do not suffer.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(List<FleetLockCheck>))]
[JsonSerializable(typeof(List<ShownSetting>))]
internal sealed partial class OutputJson : JsonSerializerContext;
