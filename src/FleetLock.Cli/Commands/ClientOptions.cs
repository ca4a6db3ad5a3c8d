using System.CommandLine;

namespace FleetLock.Cli.Commands;

/// <summary>The options that name server, group and id. Repeated, the last one counts, as in the Go tool.</summary>
internal sealed class ClientOptions
{
    private readonly Option<string[]> _url = Repeatable("--url", "-u", "The FleetLock server's URL, or FLEETLOCK_URL. Several on one store are separated by commas; the next is asked when one is away.");
    private readonly Option<string[]> _group = Repeatable("--group", "-g", "The group, or FLEETLOCK_GROUP; \"default\" if neither is given.");
    private readonly Option<string[]> _id = Repeatable("--id", "-i", "The node id, or FLEETLOCK_ID; derived from this machine's id if neither is given.");

    internal void AddTo(Command command)
    {
        command.Options.Add(_url);
        command.Options.Add(_group);
        command.Options.Add(_id);
    }

    internal void HideId() => _id.Hidden = true;

    internal void HideGroup() => _group.Hidden = true;

    internal void DescribeId(string description) => _id.Description = description;

    internal string? Url(ParseResult parsed) => parsed.GetValue(_url)?.LastOrDefault();

    internal string? Group(ParseResult parsed) => parsed.GetValue(_group)?.LastOrDefault();

    internal string? Id(ParseResult parsed) => parsed.GetValue(_id)?.LastOrDefault();

    private static Option<string[]> Repeatable(string name, string alias, string description) => new(name, alias)
    {
        Description = description,
        Arity = ArgumentArity.OneOrMore,
        AllowMultipleArgumentsPerToken = false,
        HelpName = name.TrimStart('-').ToUpperInvariant(),
    };
}
