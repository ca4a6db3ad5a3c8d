using System.Text;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using FleetLock.TestKit;

namespace FleetLock.Server.Tests;

/// <summary>The configuration as the pages show it: every example is one that a server takes, and the table has every member.</summary>
[Trait("Lane", "Fast")]
public class DocumentedConfigurationTests
{
    private const string Operating = "docs/operating.md";

    /// <summary>A page, and the line of an example.</summary>
    public static TheoryData<string, int> Examples
    {
        get
        {
            var examples = new TheoryData<string, int>();
            string[] pages = [Operating, "docs/moving-from-airlock.md", "docs/runbooks/move-from-airlock.md"];
            foreach (var page in pages)
            {
                foreach (var line in ExamplesOf(page).Keys)
                    examples.Add(page, line);
            }

            return examples;
        }
    }

    [Theory]
    [MemberData(nameof(Examples))]
    public void A_server_takes_the_example(string page, int line)
    {
        // A hash is shortened on the page; each is another.
        var count = 0;
        var json = Regex.Replace(ExamplesOf(page)[line], "…", _ => (++count).ToString("x64", null));
        var configuration = ServerConfiguration.From(ServerSettingsFile.Read(Encoding.UTF8.GetBytes(json), Repository.PathOf("server.json")));
        Assert.NotEmpty(configuration.Groups);
    }

    [Fact]
    public void Each_page_has_an_example() => Assert.Equal(3, Examples.Select(example => example.Data.Item1).Distinct().Count());

    [Fact]
    public void The_table_has_every_member_and_no_other()
    {
        var rows = File.ReadLines(Repository.PathOf(Operating)).Where(line => line.StartsWith("| `", StringComparison.Ordinal) && line.Contains("` | `--", StringComparison.Ordinal));
        var shown = rows.SelectMany(row => Regex.Matches(row.Split(" | ")[0], "`([a-zA-Z.]+)`")).Select(match => match.Groups[1].Value);
        Assert.Equal(MembersOf(ServerSettingsJson.Default.ServerSettings).Order(StringComparer.Ordinal), shown.Order(StringComparer.Ordinal));
    }

    private static Dictionary<int, string> ExamplesOf(string page)
    {
        var text = File.ReadAllText(Repository.PathOf(page));
        return Regex.Matches(text, "```json\n(.*?)```", RegexOptions.Singleline).ToDictionary(match => 1 + text[..match.Index].Count(c => c == '\n'), match => match.Groups[1].Value);
    }

    private static IEnumerable<string> MembersOf(JsonTypeInfo type) => type.Properties.SelectMany(member =>
        type.Options.GetTypeInfo(member.PropertyType) is { Kind: JsonTypeInfoKind.Object } inner
            ? inner.Properties.Select(property => $"{member.Name}.{property.Name}")
            : [member.Name]);
}
