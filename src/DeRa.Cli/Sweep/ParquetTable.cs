using System.Text.Json;
using DeRa.Serving.Sweeps;
using Parquet;
using Parquet.Schema;

namespace DeRa.Cli.Sweep;

/// <summary>All rows as Apache Parquet, a column for each field of results.jsonl and one for each reward, <c>reward_NAME</c>.</summary>
internal static class ParquetTable
{
    /// <summary>Rows that are written together.</summary>
    private const int GroupRows = 1 << 16;

    /// <summary>Writes it. Equal rows give equal bytes.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="rewards">The rewards' names.</param>
    /// <param name="target">Receives it.</param>
    public static async Task WriteAsync(IReadOnlyList<SweepRow> rows, IReadOnlyList<string> rewards, Stream target)
    {
        DataField[] scores = [.. rewards.Select(name => new DataField<double?>("reward_" + name))];
        var schema = new ParquetSchema([
            new DataField<int>("prompt_index"), new DataField<double>("alignment_strength"), new DataField<int>("sample"),
            new DataField<long>("seed"), new DataField<string>("prompt"), new DataField<string>("completion"),
            new DataField<int>("tokens"), new DataField<bool>("finished"), new DataField<double>("kl_to_reference"),
            new DataField<double?>("logprob"), new DataField<double?>("logprob_reference"), new DataField<double?>("logprob_aligned"),
            .. scores]);
        var options = new ParquetOptions { CompressionMethod = CompressionMethod.Zstd };
        await using var writer = await ParquetWriter.CreateAsync(schema, target, options);
        writer.CustomMetadata = new Dictionary<string, string> { ["rewards"] = JsonSerializer.Serialize(rewards) };
        foreach (var group in rows.Chunk(GroupRows))
        {
            using var columns = writer.CreateRowGroup();
            var fields = schema.GetDataFields();
            await AddAsync(0, row => row.PromptIndex);
            await AddAsync(1, row => row.Strength);
            await AddAsync(2, row => row.Sample);
            await AddAsync(3, row => row.Seed);
            await columns.WriteAsync(fields[4], [.. group.Select(row => row.Prompt)]);
            await columns.WriteAsync(fields[5], [.. group.Select(row => row.Completion)]);
            await AddAsync(6, row => row.Tokens);
            await AddAsync(7, row => row.IsFinished);
            await AddAsync(8, row => row.Kl);
            await AddScoresAsync(9, row => row.LogProbs?.Mixture);
            await AddScoresAsync(10, row => row.LogProbs?.Reference);
            await AddScoresAsync(11, row => row.LogProbs?.Aligned);
            for (var i = 0; i < rewards.Count; i++)
            {
                var reward = i;
                await AddScoresAsync(12 + i, row => row.Rewards[reward]);
            }
            columns.CompleteValidate();

            async Task AddAsync<T>(int field, Func<SweepRow, T> value)
                where T : struct => await columns.WriteAsync<T>(fields[field], (T[])[.. group.Select(value)]);

            async Task AddScoresAsync(int field, Func<SweepRow, double?> value) =>
                await columns.WriteAsync<double>(fields[field], (double?[])[.. group.Select(value)]);
        }
    }
}
