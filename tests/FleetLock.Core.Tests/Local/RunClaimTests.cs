using System.Text.Json.Nodes;
using FleetLock.TestKit;

namespace FleetLock.Core.Tests;

/// <summary>What a run finds on its machine, and what it leaves there.</summary>
[Trait("Lane", "Fast")]
public sealed class RunClaimTests : IDisposable
{
    private static readonly RunScope Scope = LockHolder.Scope;

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    public static TheoryData<string> Unreadable => ["", "{", "null", "{}", """{"grant_id":"x"}""", """{"format":1,"process":{}}"""];

    [Fact]
    public void A_second_run_is_refused_and_told_which_process_has_the_slot()
    {
        using var first = Claim();
        using var second = Claim();

        Assert.Null(first.TryTake());
        Assert.Matches($@"^process {Environment.ProcessId} \(.+\), since \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d UTC$", second.TryTake());
    }

    [Fact]
    public void The_grant_is_noted_before_it_is_asked_for()
    {
        using var claim = Claim();

        Assert.Null(claim.TryTake());

        var note = Assert.Single(Files().ReadNotes());
        Assert.Equal((Scope.Name, LockHolder.Group, LockHolder.Id, claim.GrantId), (note.Server, note.Group, note.Id, note.GrantId));
        Assert.Equal((ProcessIdentity.Current, NoteState.Running), (note.Process, note.State));
        Assert.False(claim.IsAdopted);
    }

    [Fact]
    public void A_run_that_has_released_its_slot_leaves_no_note()
    {
        using (var claim = Claim())
        {
            Assert.Null(claim.TryTake());
            Assert.Null(claim.TryEnd());
            claim.Forget();
        }

        Assert.Equal([".lock"], Directory.GetFiles(_directory.FullName).Select(Path.GetExtension));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_slot_that_a_run_has_left_is_adopted_although_its_process_lives_on(bool atItsEnd)
    {
        var left = Leave(claim =>
        {
            if (atItsEnd)
                claim.TryEnd();
        });

        using var next = Claim();

        Assert.Null(next.TryTake());
        Assert.Equal((left, true), (next.GrantId, next.IsAdopted));
        Assert.Equal(NoteState.Running, Assert.Single(Files().ReadNotes()).State);
    }

    [Fact]
    public void A_slot_that_was_left_under_another_name_of_the_server_is_adopted()
    {
        var left = Leave();

        using var next = new RunClaim(_directory.FullName, new RunScope("http://other-name.example"), LockHolder.Group, [LockHolder.Id], null);

        Assert.Null(next.TryTake());
        Assert.Equal((left, true), (next.GrantId, next.IsAdopted));
    }

    [Fact]
    public void A_grant_that_was_cancelled_is_replaced_by_a_fresh_one()
    {
        var left = Leave();
        using var next = Claim();
        Assert.Null(next.TryTake());

        next.Renew();

        Assert.NotEqual(left, next.GrantId);
        Assert.False(next.IsAdopted);
        Assert.Equal(next.GrantId, Files().ReadNote()!.GrantId);
    }

    [Theory]
    [InlineData("http://other.example", "workers", "node1", true)]
    [InlineData("http://fleet.example/", "workers", "node1", true)]
    [InlineData("http://fleet.example", "other", "node1", false)]
    [InlineData("http://fleet.example", "workers", "node2", false)]
    [InlineData("http://fleet.example", "workers", "NODE1", false)]
    [InlineData("http://fleet.example", "workersn", "ode1", false)]
    public void The_lock_is_on_group_and_id_whatever_the_server_is_called(string server, string group, string id, bool isSame)
    {
        using var first = Claim();
        Assert.Null(first.TryTake());

        using var other = new RunClaim(_directory.FullName, new RunScope(server), group, [id], null);

        Assert.Equal(isSame, other.TryTake() is not null);
    }

    [Fact]
    public void The_names_of_the_files_give_nothing_away()
    {
        using var claim = new RunClaim(_directory.FullName, Scope, LockHolder.Group, ["secret-node/../.."], null);

        Assert.Null(claim.TryTake());

        Assert.All(
            Directory.GetFiles(_directory.FullName),
            path => Assert.Matches(@"^([0-9a-f]{32}\.lock|[0-9a-f]{32}-[0-9a-f]{32}\.note)$", Path.GetFileName(path)));
    }

    [Theory]
    [MemberData(nameof(Unreadable))]
    public void A_damaged_note_is_named_and_nobody_is_let_in(string text)
    {
        Leave();
        var path = NotePath();
        File.WriteAllText(path, text);
        using var next = Claim();

        Assert.Contains(path, Assert.Throws<IOException>(next.TryTake).Message, StringComparison.Ordinal);

        // The lock was given back: it is the note again that is complained of.
        Assert.Throws<IOException>(next.TryTake);
        Assert.Equal(text, File.ReadAllText(path));
    }

    [Fact]
    public void A_note_of_a_newer_version_lets_nobody_in()
    {
        Leave();
        Change(note => note["format"] = 2);
        using var next = Claim();

        Assert.Contains("format 2", Assert.Throws<IOException>(next.TryTake).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_note_of_another_boot_is_of_a_process_that_is_gone()
    {
        Assert.SkipUnless(ProcessIdentity.Current.BootId is not null, "There is no boot id.");
        var left = Leave();
        Change(note =>
        {
            note["process"] = ToJson(ProcessIdentity.Current with { BootId = "another boot" });
            note["command"] = ToJson(ProcessIdentity.Current with { BootId = "another boot" });
        });
        using var next = Claim();

        Assert.Null(next.TryTake());
        Assert.Equal(left, next.GrantId);
    }

    [Fact]
    public void A_process_id_that_was_given_again_is_another_process()
    {
        Leave();
        Change(note => note["command"] = ToJson(ProcessIdentity.Current with { Started = "1" }));
        using var next = Claim();

        Assert.Null(next.TryTake());
    }

    [Fact]
    public void A_process_whose_boot_is_not_known_may_be_of_this_one()
    {
        Assert.True((ProcessIdentity.Current with { BootId = null }).IsAlive);
    }

    [Fact]
    public void The_command_of_a_run_that_is_gone_keeps_others_out_and_is_named()
    {
        Leave();
        Change(note => note["command"] = ToJson(ProcessIdentity.Current));
        using var next = Claim();

        Assert.StartsWith($"process {Environment.ProcessId} (", next.TryTake(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_note_that_cannot_be_written_lets_nobody_in_and_keeps_what_was_left()
    {
        var left = Leave();
        var inTheWay = BlockNoteWrites();
        using var next = Claim();

        Assert.Throws<IOException>(next.TryTake);

        Directory.Delete(inTheWay);
        Assert.Null(next.TryTake());
        Assert.Equal(left, next.GrantId);
    }

    [Fact]
    public void A_full_disk_does_not_keep_a_run_from_ending()
    {
        using var claim = Claim();
        Assert.Null(claim.TryTake());
        BlockNoteWrites();

        Assert.Null(claim.TryEnd());
        Assert.Equal(NoteState.Ending, Files().ReadNote()!.State);
    }

    [Fact]
    public void A_note_that_cannot_be_marked_as_ending_is_an_error()
    {
        using var claim = Claim();
        Assert.Null(claim.TryTake());
        Directory.CreateDirectory(Path.ChangeExtension(NotePath(), ".ending"));

        Assert.Throws<IOException>(claim.TryEnd);
    }

    [Fact]
    public void A_run_within_a_run_joins_it_and_delays_its_end()
    {
        using var outer = Claim();
        Assert.Null(outer.TryTake());
        HeldGrants.Enter(outer.GrantId);
        try
        {
            using (var inner = Claim())
            {
                Assert.Null(inner.TryTake());
                Assert.Equal((outer.GrantId, LockHolder.Id), (inner.GrantId, inner.Id));
                Assert.Equal(ProcessIdentity.Current, outer.TryEnd());

                using var late = Claim();
                Assert.NotNull(late.TryTake());
            }

            Assert.Null(outer.TryEnd());
        }
        finally
        {
            HeldGrants.Leave(outer.GrantId);
        }
    }

    [Fact]
    public void The_end_of_a_block_within_a_block_leaves_the_outer_one_its_grant()
    {
        using var outer = Claim();
        Assert.Null(outer.TryTake());
        HeldGrants.Enter(outer.GrantId);
        HeldGrants.Enter(outer.GrantId);
        HeldGrants.Leave(outer.GrantId);
        try
        {
            using var second = Claim();
            Assert.Null(second.TryTake());
            Assert.NotNull(second.Outer);
            Assert.Contains(outer.GrantId, Environment.GetEnvironmentVariable(HeldGrants.Variable), StringComparison.Ordinal);
        }
        finally
        {
            HeldGrants.Leave(outer.GrantId);
        }
    }

    [Fact]
    public void A_live_run_of_root_is_respected_and_named()
    {
        using var folder = new TemporaryDirectory();
        using var root = new RunClaim(folder.FullName, Scope, LockHolder.Group, [LockHolder.Id], null);
        Assert.Null(root.TryTake());

        using var user = new RunClaim(_directory.FullName, Scope, LockHolder.Group, [LockHolder.Id], folder.FullName);

        Assert.StartsWith($"process {Environment.ProcessId} (", user.TryTake(), StringComparison.Ordinal);
        root.Dispose();
        Assert.Null(user.TryTake());
        Assert.False(user.IsAdopted);
    }

    [Fact]
    public void The_live_command_of_a_killed_run_of_root_is_respected()
    {
        using var folder = new TemporaryDirectory();
        using (var root = new RunClaim(folder.FullName, Scope, LockHolder.Group, [LockHolder.Id], null))
            Assert.Null(root.TryTake());
        Change(note => note["command"] = ToJson(ProcessIdentity.Current), folder);

        using var user = new RunClaim(_directory.FullName, Scope, LockHolder.Group, [LockHolder.Id], folder.FullName);

        Assert.StartsWith($"process {Environment.ProcessId} (", user.TryTake(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_note_of_root_lets_nobody_in()
    {
        using var folder = new TemporaryDirectory();
        using (var root = new RunClaim(folder.FullName, Scope, LockHolder.Group, [LockHolder.Id], null))
            Assert.Null(root.TryTake());
        File.WriteAllText(NotePath(folder), "{");

        using var user = new RunClaim(_directory.FullName, Scope, LockHolder.Group, [LockHolder.Id], folder.FullName);

        Assert.Throws<IOException>(user.TryTake);
    }

    [Fact]
    public void The_folder_is_made_when_it_is_not_there()
    {
        var folder = _directory.File(Path.Combine("not", "yet"));

        using var claim = new RunClaim(folder, Scope, LockHolder.Group, [LockHolder.Id], null);

        Assert.Null(claim.TryTake());
    }

    [Fact]
    public void A_folder_that_cannot_be_used_is_named_with_the_variable_that_names_another()
    {
        var file = _directory.File("a file");
        File.WriteAllText(file, "");

        var error = Assert.Throws<IOException>(() => new RunClaim(file, Scope, LockHolder.Group, [LockHolder.Id], null));

        Assert.Contains(file, error.Message, StringComparison.Ordinal);
        Assert.Contains("FLEETLOCK_STATE_DIRECTORY", error.Message, StringComparison.Ordinal);
    }

    private static JsonObject ToJson(ProcessIdentity process) => new()
    {
        ["id"] = process.Id,
        ["started"] = process.Started,
        ["boot_id"] = process.BootId,
    };

    private RunClaim Claim() => new(_directory.FullName, Scope, LockHolder.Group, [LockHolder.Id], null);

    private SlotFiles Files() => new(_directory.FullName, Scope, LockHolder.Group, LockHolder.Id);

    /// <summary>A run that ends without a release.</summary>
    /// <returns>Its grant id.</returns>
    private string Leave(Action<RunClaim>? atEnd = null)
    {
        using var claim = Claim();
        Assert.Null(claim.TryTake());
        atEnd?.Invoke(claim);
        return claim.GrantId;
    }

    private string NotePath(TemporaryDirectory? folder = null) =>
        Directory.GetFiles((folder ?? _directory).FullName).Single(path => Path.GetExtension(path) is ".note" or ".ending" or ".left");

    private void Change(Action<JsonObject> change, TemporaryDirectory? folder = null)
    {
        var path = NotePath(folder);
        var note = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        change(note);
        File.WriteAllText(path, note.ToJsonString());
    }

    /// <summary>Puts a folder where the next note is written first.</summary>
    private string BlockNoteWrites() =>
        Directory.CreateDirectory($"{Path.ChangeExtension(NotePath(), ".note")}.{Environment.ProcessId}.new").FullName;
}
