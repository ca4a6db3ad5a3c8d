using System.Buffers;
using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace FleetLock.Server;

/// <summary>
/// Lines for programs: an object with <c>time</c>, <c>level</c>, <c>message</c>, <c>event</c>, <c>request</c>, <c>category</c> (of other parts than the
/// server itself), <c>exception</c>, and the event's own values beside them: <c>group</c>, <c>id</c>, <c>slots</c>, <c>who</c>, <c>reason</c>.
/// </summary>
internal sealed class JsonLineFormatter(TimeProvider clock) : LineFormatter
{
    /// <summary>The member of an event that is its template, not a value.</summary>
    private const string Template = "{OriginalFormat}";

    // Readable: the default escapes every quote and non-ASCII letter for the sake of HTML. What could steer a terminal is not in the texts.
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly HashSet<string> OwnNames = ["time", "level", "message", "event", "request", "category", "exception"];

    // As many as the code has names.
    private static readonly ConcurrentDictionary<string, JsonEncodedText> Names = new(StringComparer.Ordinal);

    [ThreadStatic]
    private static Utf8JsonWriter? _writer;

    internal override void Write(IBufferWriter<byte> line, in LogEvent logEvent)
    {
        var json = _writer ??= new Utf8JsonWriter(line, Options);
        json.Reset(line);
        json.WriteStartObject();
        json.WriteString("time"u8, Time(clock));
        json.WriteString("level"u8, Name(logEvent.Level));
        json.WriteString("message"u8, Show(logEvent.Message));
        if (logEvent.EventId.Name is { } name)
            json.WriteString("event"u8, Names.GetOrAdd(name, ToCamelCase));
        if (logEvent.RequestId is { } request)
            json.WriteString("request"u8, Show(request));
        if (logEvent.Category != ServerLog.Category)
            json.WriteString("category"u8, logEvent.Category);
        if (logEvent.Exception is { } exception)
            json.WriteString("exception"u8, Show(exception.ToString()));
        for (var i = 0; i < logEvent.Fields.Count; i++)
        {
            if (logEvent.Fields[i] is { Key: not Template } field)
                WriteValue(json, Names.GetOrAdd(field.Key, ToCamelCase), field.Value);
        }

        json.WriteEndObject();
        json.Flush();
        Append(line, "\n");
    }

    private static void WriteValue(Utf8JsonWriter json, JsonEncodedText name, object? value)
    {
        switch (value)
        {
            case null:
                json.WriteNull(name);
                break;
            case int number:
                json.WriteNumber(name, number);
                break;
            case long number:
                json.WriteNumber(name, number);
                break;
            case bool flag:
                json.WriteBoolean(name, flag);
                break;
            default:
                json.WriteString(name, Show(Convert.ToString(value, CultureInfo.InvariantCulture) ?? ""));
                break;
        }
    }

    private static JsonEncodedText ToCamelCase(string name)
    {
        var camelCase = JsonNamingPolicy.CamelCase.ConvertName(name);
        return JsonEncodedText.Encode(OwnNames.Contains(camelCase) ? camelCase + "_" : camelCase);
    }
}
