using System.Text;
using System.Text.Json.Nodes;
using DeRa.Torch.Configuration;
using DeRa.Torch.Execution;
using DeRa.Torch.Families;
using DeRa.Torch.Tests.Execution;
using DeRa.Torch.Weights;
using Xunit;

namespace DeRa.Torch.Tests.Families;

/// <summary>How many tokens scaled rotary positions are made for.</summary>
public sealed class ContextTests
{
    /// <summary>Llama 2 has <c>max_position_embeddings</c> 4096.</summary>
    public static TheoryData<string, int> Scaled { get; } = new()
    {
        { """{"type":"yarn","factor":4.0,"original_max_position_embeddings":4096}""", 16_384 },
        { """{"type":"yarn","factor":4.0}""", 16_384 },
        { """{"rope_type":"yarn","factor":4.0,"original_max_position_embeddings":1024}""", 4096 },
        { """{"rope_type":"yarn","factor":2.0,"original_max_position_embeddings":1024}""", 2048 },
        { """{"rope_type":"yarn","factor":1.5,"original_max_position_embeddings":3000}""", 4500 },
        // The factor is then 4096 / 1365.
        { """{"rope_type":"yarn","original_max_position_embeddings":1365}""", 4096 },
        { """{"type":"linear","factor":2.5}""", 10_240 },
        { """{"type":"linear","factor":4,"original_max_position_embeddings":1024}""", 4096 },
        { """{"rope_type":"llama3","factor":8,"low_freq_factor":1,"high_freq_factor":4,"original_max_position_embeddings":1024}""", 4096 },
        { """{"rope_type":"default"}""", 4096 },
    };

    [Theory, MemberData(nameof(Scaled))]
    public void It_is_the_context_trained_on_times_the_factor_but_for_llama3(string scaling, int expected)
    {
        foreach (var name in new[] { "rope_scaling", "rope_parameters" })
            Assert.Equal(expected, Parse(PublishedConfigs.Llama2, name, scaling).ContextTokens);
        var neox = Parse(PublishedConfigs.Pythia1B, "rope_scaling", """{"type":"linear","factor":2}""");
        Assert.Equal(2 * 2048, neox.ContextTokens);
    }

    [Fact]
    public void Old_files_repeat_it_before_or_after_scaling()
    {
        var scaled = JsonNode.Parse(PublishedConfigs.Llama2)!.AsObject();
        scaled["rope_scaling"] = JsonNode.Parse("""{"type":"linear","factor":4.0}""");
        foreach (var length in new[] { 4096, 16_384 })
            Assert.Equal(16_384, Parse(scaled.ToJsonString(), "max_sequence_length", $"{length}").ContextTokens);
        scaled.Remove("rope_scaling");
        scaled.Remove("max_position_embeddings");
        Assert.Equal(2048, Parse(scaled.ToJsonString(), "max_sequence_length", "2048").ContextTokens);
    }

    [Fact]
    public void One_beyond_all_bounds_is_refused_by_name() => Assert.Contains("'rope_scaling.factor' is 1000000",
        Assert.Throws<CheckpointException>(() =>
            Parse(PublishedConfigs.Llama2, "rope_scaling", """{"type":"yarn","factor":1000000}""")).Message);

    [Fact]
    public void The_published_case_serves_its_whole_context_and_less_where_that_is_asked_for()
    {
        var folder = SharedCases.Find("yarn-context-qwen2/model");
        Assert.SkipWhen(folder is null, SharedCases.Missing);
        var options = GoldenPair.Options() with { ReferencePath = folder!, Aligned = [new("aligned", folder!)] };
        Assert.Equal(256, Loaded(options));
        Assert.Equal(256, Loaded(options with { ContextTokens = 256 }));
        Assert.Equal(64, Loaded(options with { ContextTokens = 64 }));
        Assert.Contains("--context-length is 257; it must be from 1 to 256",
            Assert.Throws<PairLoadException>(() => Loaded(options with { ContextTokens = 257 })).Message);

        static int Loaded(PairOptions options)
        {
            var pair = GoldenPair.Load(options, vocabularySize: 139);
            pair.Executor.Dispose();
            return pair.ContextTokens;
        }
    }

    private static ModelConfig Parse(string published, string field, string value)
    {
        var config = JsonNode.Parse(published)!.AsObject();
        config[field] = JsonNode.Parse(value);
        return ModelConfigReader.Parse("config.json", Encoding.UTF8.GetBytes(config.ToJsonString()));
    }
}
