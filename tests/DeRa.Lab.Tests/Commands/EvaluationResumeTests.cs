using System.Globalization;
using DeRa.Testing;
using Xunit;

namespace DeRa.Lab.Tests.Commands;

/// <summary>An evaluation that was cut goes on where it was, and gives what it would have given.</summary>
public sealed class EvaluationResumeTests(TinyPair pair) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    // 30 × 25 completions are two parts of a strength.
    private string[] Evaluate(string output, string strengths = "0 0.5", string seed = "1") =>
    [
        "evaluate", "--reference", pair.Model, "--aligned", pair.Model, "--strengths", .. strengths.Split(' '), "--reward", "length:3-12",
        "--prompts", pair.Text, "--prompt-tokens", "4", "--prompt-count", "30", "--completions", "25", "--max-tokens", "6", "--seed", seed,
        "--output", Path.Combine(_folder.Path, output), "--threads", "1", "--device", "cpu",
    ];

    private string Read(string name) => File.ReadAllText(Path.Combine(_folder.Path, name));

    private static int Count(string text, string part) => text.Split(part).Length - 1;

    [Fact]
    public async Task A_cut_evaluation_draws_what_it_lacks_and_ends_like_a_whole_one()
    {
        var whole = await LabRun.OfAsync(Evaluate("whole"));
        Assert.Equal((0, 0), (whole.Code, Count(whole.Error, "as drawn before")));
        var results = Read("whole.jsonl");
        var lines = results.Split('\n');
        Assert.Equal((6, ""), (lines.Length, lines[^1]));
        int[] ends = [.. lines.SkipLast(1).Select((_, i) => lines.Take(i + 1).Sum(line => line.Length + 1))];
        // In the middle of the head, at its end, behind a part's first letters, just before a part's line end, behind a part, at the end.
        (int Length, int Kept)[] cuts = [(0, 0), (20, 0), (ends[0], 0), (ends[0] + 9, 0), (ends[2] - 1, 1), (ends[2], 2), (ends[4], 4)];
        foreach (var (length, kept) in cuts)
        {
            _folder.Write("cut.jsonl", results[..length]);
            var resumed = await LabRun.OfAsync(Evaluate("cut"));
            Assert.Equal((0, kept), (resumed.Code, Count(resumed.Error, "as drawn before")));
            Assert.Equal(whole.Out, resumed.Out);
            Assert.Equal(results, Read("cut.jsonl"));
            Assert.Equal(Read("whole.csv"), Read("cut.csv"));
        }
    }

    [Fact]
    public async Task Strengths_may_be_added_later()
    {
        await LabRun.OfAsync(Evaluate("more"));
        var more = await LabRun.OfAsync(Evaluate("more", "0.5 2"));
        Assert.Equal(2, Count(more.Error, "as drawn before"));
        Assert.Equal((await LabRun.OfAsync(Evaluate("other", "0.5 2"))).Out, more.Out);
    }

    [Fact]
    public async Task Gold_may_be_asked_for_later_and_is_measured_on_the_texts_that_were_kept()
    {
        string[] gold =
            ["--vader", _folder.Write("lexicon.txt", "happy\t2.7\n"), "--known-words", _folder.Write("words.txt", "happy ball")];
        string[] whole = [.. Evaluate("gold"), .. gold];
        Assert.Equal(0, (await LabRun.OfAsync(whole)).Code);
        await LabRun.OfAsync(Evaluate("later"));
        var later = await LabRun.OfAsync([.. Evaluate("later"), .. gold]);
        Assert.Equal((0, 4), (later.Code, Count(later.Error, "as drawn before")));
        Assert.Equal(Read("gold.csv"), Read("later.csv"));
        Assert.Equal(Read("gold.jsonl"), Read("later.jsonl"));
        Assert.Contains("gold is highest at strength ", later.Out);
        var row = Read("gold.csv").Split("\r\n")[1].Split(',').Select(cell => double.Parse(cell, CultureInfo.InvariantCulture)).ToArray();
        Assert.InRange(row[13], .5, .99);
    }

    [Fact]
    public async Task Another_evaluations_results_are_left_alone()
    {
        await LabRun.OfAsync(Evaluate("mine"));
        var before = Read("mine.jsonl");
        var other = await LabRun.OfAsync(Evaluate("mine", seed: "2"));
        Assert.Equal(2, other.Code);
        Assert.Contains("mine.jsonl holds another evaluation", other.Error);
        Assert.Equal(before, Read("mine.jsonl"));
    }

    [Fact]
    public async Task What_is_no_evaluation_is_left_alone()
    {
        _folder.Write("notes.jsonl", "my notes\n");
        Assert.Equal(2, (await LabRun.OfAsync(Evaluate("notes"))).Code);
        Assert.Equal("my notes\n", Read("notes.jsonl"));
    }
}
