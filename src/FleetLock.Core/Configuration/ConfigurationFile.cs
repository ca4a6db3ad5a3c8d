using System.Globalization;
using System.Text.Json;

namespace FleetLock;

/// <summary>A configuration file: one JSON object, with comments and trailing commas allowed. Whatever is wrong in it is an error with file, line and member.</summary>
internal static class ConfigurationFile
{
    private enum Kind
    {
        Text,
        Texts,
        Seconds,
    }

    internal const char ByteOrderMark = '\uFEFF';

    private static readonly Dictionary<string, (SettingName Name, Kind Kind)> Members = new(StringComparer.Ordinal)
    {
        ["url"] = (SettingName.Url, Kind.Texts),
        ["group"] = (SettingName.Group, Kind.Text),
        ["id"] = (SettingName.Id, Kind.Text),
        ["applicationId"] = (SettingName.ApplicationId, Kind.Text),
        ["tokenFile"] = (SettingName.TokenFile, Kind.Text),
        ["caCertificatePath"] = (SettingName.CaCertificatePath, Kind.Text),
        ["certificatePath"] = (SettingName.CertificatePath, Kind.Text),
        ["timeoutSec"] = (SettingName.TimeoutSec, Kind.Seconds),
        ["retryIntervalSec"] = (SettingName.RetryIntervalSec, Kind.Seconds),
    };

    /// <summary>Reads the settings of the files in force, the first file's values before the next one's.</summary>
    /// <param name="surroundings">Where the files are.</param>
    /// <returns>The settings.</returns>
    /// <exception cref="FleetLockInputException">A file is named and not there, cannot be read, or has something wrong in it.</exception>
    internal static Dictionary<SettingName, Setting> ReadAll(Surroundings surroundings)
    {
        var named = surroundings.Variable(Surroundings.FileVariable);
        var settings = new Dictionary<SettingName, Setting>();
        foreach (var path in named is null ? surroundings.Files() : [named])
        {
            if (Load(path, surroundings) is not { } json)
            {
                if (named is not null)
                    throw Fault($"The configuration file {path}, which {Surroundings.FileVariable} names, is not there.");
                continue;
            }

            foreach (var setting in Read(path, json).Where(setting => !settings.ContainsKey(setting.Name)))
                settings.Add(setting.Name, setting);
        }

        return settings;
    }

    private static byte[]? Load(string path, Surroundings surroundings)
    {
        try
        {
            return surroundings.ReadFile(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Fault($"The configuration file {path} cannot be read: {e.Message}", e);
        }
    }

    private static List<Setting> Read(string path, byte[] json)
    {
        var settings = new List<Setting>();
        var inMember = "";
        json = WithoutMark(json);
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
        try
        {
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartObject)
                throw At(path, json, reader.TokenStartIndex, "the file takes one JSON object");
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var member = reader.GetString()!;
                var place = reader.TokenStartIndex;
                if (!Members.TryGetValue(member, out var known))
                    throw At(path, json, place, $"unknown member '{ProtocolRules.Show(member)}'; the members are {string.Join(", ", Members.Keys)}");
                if (settings.Exists(setting => setting.Name == known.Name))
                    throw At(path, json, place, $"the member '{member}' is there twice");
                inMember = member;
                reader.Read();
                settings.Add(new Setting(known.Name, ReadValue(ref reader, path, json, member, known.Kind), $"{path}:{Line(json, place)}"));
            }

            reader.Read();
            return settings;
        }
        catch (JsonException e)
        {
            throw Fault($"{path}:{e.LineNumber + 1}: this is not valid JSON: {TerminalText.Clean(e.Message)}", e);
        }
        catch (InvalidOperationException e)
        {
            throw Fault($"{path}:{Line(json, reader.TokenStartIndex)}: a text is not valid Unicode{(inMember.Length == 0 ? "" : $", in or after the member '{inMember}'")}.", e);
        }
    }

    private static string ReadValue(ref Utf8JsonReader reader, string path, byte[] json, string member, Kind kind) => (kind, reader.TokenType) switch
    {
        (Kind.Text or Kind.Texts, JsonTokenType.String) => reader.GetString()!,
        (Kind.Texts, JsonTokenType.StartArray) => ReadTexts(ref reader, path, json, member),
        (Kind.Seconds, JsonTokenType.Number) when reader.TryGetInt32(out var seconds) => seconds.ToString(CultureInfo.InvariantCulture),
        _ => throw At(path, json, reader.TokenStartIndex, $"the member '{member}' takes {Describe(kind)}"),
    };

    /// <summary>Several values are one text to all other places that a setting comes from, separated by spaces.</summary>
    private static string ReadTexts(ref Utf8JsonReader reader, string path, byte[] json, string member)
    {
        var texts = new List<string>();
        while (reader.Read() && reader.TokenType == JsonTokenType.String)
            texts.Add(reader.GetString()!);
        return reader.TokenType == JsonTokenType.EndArray && texts.Count > 0
            ? string.Join(" ", texts)
            : throw At(path, json, reader.TokenStartIndex, $"the member '{member}' takes {Describe(Kind.Texts)}");
    }

    private static string Describe(Kind kind) => kind switch
    {
        Kind.Text => "a string",
        Kind.Texts => "a string, or an array of strings",
        _ => "a whole number of seconds",
    };

    /// <summary>Windows PowerShell puts one before what it writes as UTF-8.</summary>
    private static byte[] WithoutMark(byte[] json) => json is [0xEF, 0xBB, 0xBF, ..] ? json.AsSpan(3).ToArray() : json;

    private static FleetLockInputException At(string path, byte[] json, long place, string what) => Fault($"{path}:{Line(json, place)}: {what}.");

    private static int Line(byte[] json, long place)
    {
        var line = 1;
        for (var i = 0; i < place && i < json.Length; i++)
        {
            if (json[i] == (byte)'\n')
                line++;
        }

        return line;
    }

    private static FleetLockInputException Fault(string message, Exception? cause = null) => new("configuration", message, cause);
}
