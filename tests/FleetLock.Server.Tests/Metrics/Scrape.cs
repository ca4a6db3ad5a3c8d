using System.Globalization;
using System.Text.RegularExpressions;

namespace FleetLock.Server.Tests;

/// <summary>The metrics as a strict reader of Prometheus' text format (0.0.4) takes them.</summary>
internal sealed partial class Scrape
{
    private readonly Dictionary<string, double> _samples = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _types = new(StringComparer.Ordinal);

    private Scrape()
    {
    }

    /// <summary>The samples by name and labels, as they are written.</summary>
    internal IReadOnlyDictionary<string, double> Samples => _samples;

    internal double this[string series] => Assert.Contains(series, Samples);

    /// <summary>Reads a whole answer; whatever the format does not allow fails the test.</summary>
    internal static Scrape Parse(string text)
    {
        var scrape = new Scrape();
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain('\r', text);
        var lines = text[..^1].Split('\n');
        var family = "";
        for (var i = 0; i < lines.Length; i++)
        {
            if (HelpLine().Match(lines[i]) is { Success: true } help)
            {
                family = help.Groups["name"].Value;
                var type = TypeLine().Match(lines[++i]);
                Assert.True(type.Success && type.Groups["name"].Value == family, lines[i]);
                Assert.True(scrape._types.TryAdd(family, type.Groups["type"].Value), $"{family} is begun twice");
                continue;
            }

            var sample = SampleLine().Match(lines[i]);
            Assert.True(sample.Success, $"line {i + 1} is no sample: {lines[i]}");
            var name = sample.Groups["name"].Value;
            Assert.Equal(family, scrape._types[family] == "histogram" ? Regex.Replace(name, "_(bucket|sum|count)$", "") : name);
            Assert.Equal(scrape._types[family] == "counter", name.EndsWith("_total", StringComparison.Ordinal));
            var value = double.Parse(sample.Groups["value"].Value, NumberStyles.Float, CultureInfo.InvariantCulture);
            Assert.True(scrape._samples.TryAdd(name + sample.Groups["labels"].Value, value), $"{lines[i]} is there twice");
        }

        foreach (var (histogram, _) in scrape._types.Where(type => type.Value == "histogram"))
            scrape.CheckHistogram(histogram);
        return scrape;
    }

    private void CheckHistogram(string name)
    {
        var buckets = Samples.Where(sample => sample.Key.StartsWith(name + "_bucket{le=", StringComparison.Ordinal)).Select(sample => sample.Value).ToArray();
        Assert.Equal(buckets.Order(), buckets);
        Assert.Equal(this[name + "_count"], this[name + "_bucket{le=\"+Inf\"}"]);
        Assert.True(this[name + "_sum"] >= 0);
    }

    [GeneratedRegex(@"^# HELP (?<name>[a-z0-9_]+) (?:[^\\\n]|\\\\|\\n)+$")]
    private static partial Regex HelpLine();

    [GeneratedRegex("^# TYPE (?<name>[a-z0-9_]+) (?<type>counter|gauge|histogram)$")]
    private static partial Regex TypeLine();

    [GeneratedRegex("""^(?<name>[a-z0-9_]+)(?<labels>\{[a-z]+="(?:[^\\"\n]|\\[\\"n])*"(?:,[a-z]+="(?:[^\\"\n]|\\[\\"n])*")*\})? (?<value>[-+0-9.Ee]+)$""")]
    private static partial Regex SampleLine();
}
