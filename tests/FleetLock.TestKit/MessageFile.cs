using System.Text;

namespace FleetLock.TestKit;

/// <summary>
/// A file of <c>tests/messages</c>: the sentences that users see, each under the situation that produces it.
/// Other tests assert error ids, kinds and values, so that a better wording changes these files and no test.
/// </summary>
/// <param name="name">The file's name, without its extension.</param>
public sealed class MessageFile(string name)
{
    private const string UpdateVariable = "UPDATE_MESSAGES";
    private const string Indent = "    ";

    private readonly List<(string Value, string Placeholder)> _hidden = [];
    private readonly List<(string Situation, string Text)> _messages = [];

    private string FilePath => Repository.PathOf("tests", "messages", name + ".txt");

    /// <summary>Shows a placeholder instead of a value that differs from run to run, in what is added from now on.</summary>
    /// <param name="value">The value.</param>
    /// <param name="placeholder">What stands for it.</param>
    public MessageFile Hide(string value, string placeholder)
    {
        _hidden.Add((value, placeholder));
        return this;
    }

    /// <summary>Adds what the product has said. A text that is there already is not added again.</summary>
    /// <param name="situation">What makes the product say it, in one line.</param>
    /// <param name="text">Its text.</param>
    public void Add(string situation, string text)
    {
        foreach (var (value, placeholder) in _hidden)
        {
            situation = situation.Replace(value, placeholder, StringComparison.Ordinal);
            text = text.Replace(value, placeholder, StringComparison.Ordinal);
        }

        text = text.ReplaceLineEndings("\n").TrimEnd();
        if (_messages.TrueForAll(message => message.Text != text))
            _messages.Add((situation.Trim(), text));
    }

    /// <summary>Compares what was added with the file, or writes the file if the variable UPDATE_MESSAGES is set.</summary>
    /// <exception cref="InvalidOperationException">They differ.</exception>
    public void Verify()
    {
        var actual = _messages.Select(Write).ToList();
        if (Environment.GetEnvironmentVariable(UpdateVariable) is { Length: > 0 })
        {
            Directory.CreateDirectory(Path.GetDirectoryName(FilePath)!);
            File.WriteAllText(FilePath, string.Join('\n', actual), new UTF8Encoding(false));
            return;
        }

        var expected = Read();
        var difference = new StringBuilder();
        foreach (var gone in expected.Except(actual))
            difference.Append("\n- ").Append(gone);
        foreach (var added in actual.Except(expected))
            difference.Append("\n+ ").Append(added);
        if (difference.Length == 0 && !expected.SequenceEqual(actual))
            difference.Append("\nThe order differs.");
        if (difference.Length > 0)
        {
            throw new InvalidOperationException(
                $"The messages are not those of {FilePath}. If the new ones (+) are right, run this test again with {UpdateVariable}=1, "
                + $"and commit the file.\n{difference}");
        }
    }

    private static string Write((string Situation, string Text) message) =>
        $"{message.Situation}\n{Indent}{message.Text.Replace("\n", "\n" + Indent, StringComparison.Ordinal)}\n";

    private List<string> Read()
    {
        if (!File.Exists(FilePath))
            return [];
        var text = File.ReadAllText(FilePath).ReplaceLineEndings("\n");
        return [.. text.Split("\n\n").Select(entry => entry.TrimEnd('\n') + "\n")];
    }
}
