using DeRa.Engine.Branches;
using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;
using DeRa.Testing;
using Xunit;

namespace DeRa.Engine.Tests;

/// <summary>Branches that fork: they share blocks, draw tokens of their own, and each token is still that of its own text.</summary>
public sealed class ForkTests
{
    private const int BlockTokens = 8;

    [Theory]
    [InlineData(Speculation.On, 0, 0), InlineData(Speculation.On, 3, 0), InlineData(Speculation.On, 9, 40)]
    [InlineData(Speculation.Off, 1, 0), InlineData(Speculation.Off, 11, 0)]
    public void Forks_share_full_blocks_and_go_on_with_draws_of_their_own(Speculation speculation, int after, int ownPrompt)
    {
        var run = new Run(speculation, blocks: 64);
        var request = Request(maxTokens: 30) with
        {
            PromptOfModel = ownPrompt == 0 ? new Dictionary<int, IReadOnlyList<int>>()
                : new Dictionary<int, IReadOnlyList<int>> { [1] = [.. Enumerable.Range(50, ownPrompt)] },
        };
        var parent = run.Start(request);
        while (parent.DecidedTokens < after || parent.ComputedTokens(0) < 20 || parent.ComputedTokens(1) < 20) run.Step();
        var decided = parent.DecidedTokens;
        var before = run.Scheduler.Blocks.InUse;
        Branch[] forks = [.. Enumerable.Range(1, 3).Select(stream => run.Scheduler.Fork(parent, 100 + stream, stream)!)];
        Assert.Equal(before + 3 * parent.Contexts.Count, run.Scheduler.Blocks.InUse);
        var full = (20 + decided - 1) / BlockTokens;
        Assert.All(forks, fork => Assert.Equal(parent.Main.Blocks[..full], fork.Main.Blocks[..full]));
        while (run.Scheduler.HasWork) run.Step();
        Assert.Equal(0, run.Scheduler.Blocks.InUse);
        Assert.All(forks.Append(parent), branch => Assert.Equal(Enumerable.Repeat<AlignmentStrengths>(0.5, 30), branch.StrengthsOfDecided));
        int[][] outputs = [Output(parent), .. forks.Select(Output)];
        Assert.Equal(4, outputs.Select(output => string.Join(',', output)).Distinct().Count());
        for (var stream = 0; stream < 4; stream++)
        {
            Assert.Equal(30, outputs[stream].Length);
            Assert.Equal(outputs[0][..decided], outputs[stream][..decided]);
            for (var i = decided; i < 30; i++)
                Assert.Equal(Expected(run.Executor, request, outputs[stream][..i], stream), outputs[stream][i]);
        }
    }

    [Fact]
    public void A_fork_for_which_no_blocks_are_free_is_refused_and_takes_nothing()
    {
        var run = new Run(Speculation.On, blocks: 7);
        var parent = run.Start(Request(maxTokens: 30));
        while (parent.DecidedTokens < 29) run.Step();
        Assert.Null(run.Scheduler.Fork(parent, 100, stream: 1));
        Assert.Equal(7, run.Scheduler.Blocks.InUse);
        while (run.Scheduler.HasWork) run.Step();
        Assert.Equal(0, run.Scheduler.Blocks.InUse);
    }

    [Fact]
    public void A_branch_that_is_cut_back_draws_the_same_tokens_again()
    {
        var run = new Run(Speculation.On, blocks: 8);
        var branch = run.Start(Request(maxTokens: 30));
        while (branch.DecidedTokens < 12) run.Step();
        var first = Output(branch);
        branch.Truncate(4);
        while (branch.DecidedTokens < first.Length) run.Step();
        Assert.Equal(first, Output(branch)[..first.Length]);
    }

    [Theory]
    [InlineData(Speculation.On), InlineData(Speculation.Off)]
    public void Forks_and_branches_that_are_cut_back_follow_the_schedule_from_where_they_are(Speculation speculation)
    {
        var run = new Run(speculation, blocks: 64);
        var schedule = new StrengthPoints(new(0, 0), new(5, 0.5), new(9, 1), new(16, 2));
        var request = Request(maxTokens: 30) with { Schedule = schedule, Strengths = 0 };
        var parent = run.Start(request);
        while (parent.DecidedTokens < 7) run.Step();
        var fork = run.Scheduler.Fork(parent, 101, stream: 1)!;
        while (parent.DecidedTokens < 18) run.Step();
        parent.Truncate(3);
        while (run.Scheduler.HasWork) run.Step();
        foreach (var (branch, stream) in ((Branch, int)[])[(parent, 0), (fork, 1)])
        {
            var output = Output(branch);
            Assert.Equal(Enumerable.Range(0, 30).Select(schedule.At), branch.StrengthsOfDecided);
            for (var i = stream == 0 ? 0 : 10; i < 30; i++)
                Assert.Equal(Expected(run.Executor, request with { Strengths = schedule.At(i) }, output[..i], stream), output[i]);
        }
    }

    [Fact]
    public void Siblings_agree_as_often_as_independent_draws_do()
    {
        // Each choice of one token is drawn by two streams: over many positions they agree as often as p says, Σ p².
        var executor = new ScriptedExecutor(vocabularySize: 12);
        var (agree, expected, variance) = (0, 0.0, 0.0);
        for (var i = 0; i < 3000; i++)
        {
            var request = Request(maxTokens: 1) with { PromptTokens = [i % 12, i / 12 % 12, i / 144 % 12, i / 1728], Seed = i };
            var distribution = ReferenceSampler.Distribution(executor.MixedLogits(request.PromptTokens.ToArray(), 0.5),
                new SamplingRow { Parameters = request.Sampling, NoiseKey = 0, History = default, PromptTokens = 0 });
            var same = distribution.Sum(p => p * p);
            (expected, variance) = (expected + same, variance + same * (1 - same));
            if (Expected(executor, request, [], 0) == Expected(executor, request, [], 1)) agree++;
        }
        Assert.InRange(agree, expected - 4 * Math.Sqrt(variance), expected + 4 * Math.Sqrt(variance));
    }

    private static GenerationRequest Request(int maxTokens) =>
        new() { PromptTokens = [.. Enumerable.Range(10, 20)], MaxTokens = maxTokens, Strengths = 0.5, Seed = 3 };

    private static int[] Output(Branch branch) => branch.Main.Tokens.Slice(branch.Main.PromptTokens, branch.DecidedTokens).ToArray();

    private static int Expected(ScriptedExecutor oracle, GenerationRequest request, int[] output, int stream)
    {
        int[] main = [.. request.PromptTokens, .. output];
        int[][] prefixes = [.. Enumerable.Range(0, 2).Select(
            model => request.PromptOfModel.TryGetValue(model, out var own) ? [.. own, .. output] : main)];
        return ReferenceSampler.Token(oracle.MixedLogits(prefixes, request.Strengths), new SamplingRow
        {
            Parameters = request.Sampling,
            NoiseKey = GumbelNoise.Key(request.Seed, request.ChoiceIndex, stream, main.Length),
            History = main,
            PromptTokens = request.PromptTokens.Count,
        });
    }

    /// <summary>A scheduler and its executor, driven by hand.</summary>
    private sealed class Run : ISchedulerObserver
    {
        public Run(Speculation speculation, int blocks)
        {
            Executor = new ScriptedExecutor(blockTokens: BlockTokens, blockCount: blocks) { Difference = 0.2 };
            var options = new SchedulerOptions { MaxBatchTokens = 24, MaxRunning = 8, Speculation = speculation };
            Scheduler = new Scheduler(Executor.Limits, options) { Observer = this };
        }

        public ScriptedExecutor Executor { get; }

        public Scheduler Scheduler { get; }

        public Branch Start(GenerationRequest request)
        {
            var branch = new Branch(1, request, Executor.Limits.ModelCount, new BranchClock(0));
            Scheduler.Enqueue(branch.Unit);
            return branch;
        }

        public void Step()
        {
            Scheduler.Admit();
            var plan = Scheduler.Plan();
            Scheduler.Commit(plan, Executor.Execute(plan), now: 0, TimeSpan.Zero);
        }

        public void Admitted(Branch branch) => branch.Clock.Admitted = 0;

        public void Forked(Branch branch)
        {
        }

        public void Preempted(Branch branch)
        {
        }

        public void PromptRead(Branch branch)
        {
        }

        public void Generated(Branch branch, long? before)
        {
        }

        public void GuessesChecked(Branch branch, int made, int right)
        {
        }

        public void DivergenceMeasured(Branch branch, double nats)
        {
        }

        public void Ended(Branch branch, bool ran) => branch.Clock.Ended = 0;
    }
}
