using System.Globalization;
using System.Text;

namespace FleetLock.Server;

/// <summary>Prometheus' text format, version 0.0.4.</summary>
internal sealed class MetricsText
{
    internal const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private readonly StringBuilder _text = new();

    /// <summary>Begins a metric; its samples follow.</summary>
    /// <param name="name">The metric's name.</param>
    /// <param name="type">counter, gauge or histogram.</param>
    /// <param name="help">What it is.</param>
    internal void Begin(string name, string type, string help) => _text
        .Append("# HELP ").Append(name).Append(' ').Append(help.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)).Append('\n')
        .Append("# TYPE ").Append(name).Append(' ').Append(type).Append('\n');

    /// <summary>Writes one sample of the metric that was begun.</summary>
    /// <param name="name">The sample's name.</param>
    /// <param name="value">Its value.</param>
    /// <param name="labels">What tells it from the others.</param>
    internal void Sample(string name, double value, params ReadOnlySpan<(string Name, string Value)> labels)
    {
        _text.Append(name);
        for (var i = 0; i < labels.Length; i++)
            _text.Append(i == 0 ? '{' : ',').Append(labels[i].Name).Append("=\"").Append(Escape(labels[i].Value)).Append('"');
        if (labels.Length > 0)
            _text.Append('}');
        _text.Append(' ').Append(value.ToString(CultureInfo.InvariantCulture)).Append('\n');
    }

    /// <summary>Writes a metric that has one sample.</summary>
    /// <param name="name">The metric's name.</param>
    /// <param name="type">counter or gauge.</param>
    /// <param name="help">What it is.</param>
    /// <param name="value">Its value.</param>
    internal void Single(string name, string type, string help, double value)
    {
        Begin(name, type, help);
        Sample(name, value);
    }

    internal byte[] ToUtf8() => Encoding.UTF8.GetBytes(_text.ToString());

    private static string Escape(string value) => value
        .Replace("\\", "\\\\", StringComparison.Ordinal)
        .Replace("\"", "\\\"", StringComparison.Ordinal)
        .Replace("\n", "\\n", StringComparison.Ordinal);
}
