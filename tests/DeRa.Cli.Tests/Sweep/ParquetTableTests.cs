using DeRa.Cli.Sweep;
using DeRa.Serving.Sweeps;
using Parquet;
using Xunit;

namespace DeRa.Cli.Tests.Sweep;

public sealed class ParquetTableTests
{
    private static readonly string[] s_rewards = ["sentiment", "regex:a.b/c, d", "0.7*json+0.3*sentiment"];

    [Fact]
    public async Task All_columns_come_back_and_equal_rows_give_equal_bytes()
    {
        SweepRow[] rows = [Row(0, "Ünd “so”\n\"x\"", [.5, null, -1e-300]), Row(1, "", [null, null, 2])];
        var bytes = await BytesAsync(rows);
        Assert.Equal(bytes, await BytesAsync([.. rows]));
        await using var reader = await ParquetReader.CreateAsync(
            new MemoryStream(bytes), cancellationToken: TestContext.Current.CancellationToken);
        var fields = reader.Schema.GetDataFields();
        Assert.Equal(["prompt_index", "alignment_strength", "sample", "seed", "prompt", "completion", "tokens", "finished",
            "kl_to_reference", "logprob", "logprob_reference", "logprob_aligned",
            "reward_sentiment", "reward_regex:a.b/c, d", "reward_0.7*json+0.3*sentiment"],
            fields.Select(field => field.Name));
        using var group = reader.OpenRowGroupReader(0);
        await AssertColumnAsync<int>(0, 7, 8);
        await AssertColumnAsync<double>(1, .1, 1.1);
        await AssertColumnAsync<int>(2, 0, 1);
        await AssertColumnAsync<long>(3, 1L << 40, (1L << 40) + 1);
        Assert.Equal(rows.Select(row => row.Prompt), await TextsAsync(4));
        Assert.Equal(rows.Select(row => row.Completion), await TextsAsync(5));
        await AssertColumnAsync<int>(6, 3, 4);
        await AssertColumnAsync<bool>(7, true, false);
        await AssertColumnAsync<double>(8, 1.25, 2.25);
        Assert.Equal([-5, null], await ScoresAsync(9));
        Assert.Equal([-6.5, null], await ScoresAsync(10));
        Assert.Equal([-4, null], await ScoresAsync(11));
        for (var reward = 0; reward < s_rewards.Length; reward++)
            Assert.Equal(rows.Select(row => row.Rewards[reward]), await ScoresAsync(12 + reward));

        async Task AssertColumnAsync<T>(int field, params T[] expected)
            where T : struct
        {
            var values = new T[2];
            await group.ReadAsync<T>(fields[field], values, cancellationToken: TestContext.Current.CancellationToken);
            Assert.Equal(expected, values);
        }

        async Task<double?[]> ScoresAsync(int field)
        {
            var values = new double?[2];
            await group.ReadAsync<double>(fields[field], values, cancellationToken: TestContext.Current.CancellationToken);
            return values;
        }

        async Task<string[]> TextsAsync(int field)
        {
            var values = new string[2];
            await group.ReadAsync(fields[field], values, cancellationToken: TestContext.Current.CancellationToken);
            return values;
        }
    }

    private static async Task<byte[]> BytesAsync(SweepRow[] rows)
    {
        using var target = new MemoryStream();
        await ParquetTable.WriteAsync(rows, s_rewards, target);
        return target.ToArray();
    }

    private static SweepRow Row(int i, string completion, double?[] rewards) => new()
    {
        PromptIndex = 7 + i,
        Prompt = $"Once {i}",
        Strength = .1 + i,
        Sample = i,
        Seed = (1L << 40) + i,
        Completion = completion,
        Tokens = 3 + i,
        IsFinished = i == 0,
        Kl = 1.25 + i,
        LogProbs = i == 0 ? new SequenceLogProbs(-5, -6.5, -4) : null,
        Rewards = rewards,
    };
}
