using System.Text.Json.Nodes;
using DeRa.Engine.Scheduling;
using DeRa.Testing;
using DeRa.Torch.Caching;
using DeRa.Torch.Families;
using DeRa.Torch.Models;
using DeRa.Torch.Native;
using DeRa.Torch.Operators;
using Xunit;
using static TorchSharp.torch;

namespace DeRa.Torch.Tests.Models;

/// <summary>
/// YaRN against a float64 computation in Python, written from arXiv 2309.00071 and Hugging Face's definition of the ramp:
/// a whole Llama, which without scaling gives the golden logits of <c>pair/sft</c> within 2·10⁻¹⁴.
/// </summary>
public sealed class YarnTests
{
    private static readonly int[] Tokens =
    [
        1, 232, 4, 255, 137, 13, 21, 277, 259, 283, 233, 217, 253, 130, 232, 214, 125, 223, 219, 29, 216, 186, 224, 260, 113, 85, 79,
        290, 59, 286, 289, 216, 39,
    ];

    private static readonly int[] Columns = [0, 57, 123, 299];

    public static TheoryData<string, double[], double[], double[]> Cases { get; } = new()
    {
        {
            """{"rope_type":"yarn","factor":4.0,"original_max_position_embeddings":32}""",
            [1.0, 0.13465216812699274, 0.011603972084031949, 0.0025, 0.0005386086725079711, 0.00011603972084031943],
            [0.1758693904683773, -3.1259889200025444, -2.4018853555731905, 2.83482458730897],
            [-0.1864494832405637, -1.5549429553274345, -2.1977906456975314, 0.18022262720921087]
        },
        {
            """{"type":"yarn","factor":8,"original_max_position_embeddings":64,"beta_fast":4,"beta_slow":0.5,"truncate":false,"""
                + """ "mscale":1.2,"mscale_all_dim":0.7}""",
            [1.0, 0.1610188219595954, 0.005801986042015974, 0.00125, 0.00026930433625398553, 5.8019860420159716e-05],
            [0.19250472382445846, -3.2353234174594956, -2.3281131064162097, 2.7873529452877963],
            [0.17691219079618853, -2.349372727439015, -2.1039575577815945, 1.4453700130659848]
        },
        {
            """{"rope_type":"yarn","factor":4,"attention_factor":1.5}""", // the original context is max_position_embeddings, 256
            [1.0, 0.1615826017523913, 0.023207944168063897, 0.0025, 0.0005386086725079711, 0.00011603972084031943],
            [-0.25536002373306405, -1.9583832844823592, -2.8070551576403004, 2.4855589182722766],
            [-0.33222794076402545, -1.235241025211852, -2.334753177195429, -1.11916136717094]
        },
    };

    [Theory, MemberData(nameof(Cases))]
    public void Frequencies_and_logits_equal_the_computation_in_float64(string scaling, double[] frequencies, double[] at9, double[] at32)
    {
        LibTorch.Load();
        using var folder = new TemporaryFolder().CopyFrom(GoldenData.Committed("pair/sft"));
        var json = JsonNode.Parse(File.ReadAllText(Path.Combine(folder.Path, "config.json")))!.AsObject();
        json["rope_scaling"] = JsonNode.Parse(scaling);
        folder.Write("config.json", json.ToJsonString());
        var config = ModelConfigReader.Load(folder.Path);
        Assert.All(RotaryFrequencies.Of(config).Zip(frequencies), pair => Assert.Equal(pair.Second, pair.First, 1e-14));
        using var model = DecoderLoader.Load(folder.Path, config, CPU, new NumberOptions(), onProgress: null,
            CancellationToken.None);
        var logits = Logits(model);
        Assert.All(Columns.Zip(at9), item => Assert.Equal(item.Second, logits[9 * config.VocabularySize + item.First], 1e-4));
        Assert.All(Columns.Zip(at32), item => Assert.Equal(item.Second, logits[32 * config.VocabularySize + item.First], 1e-4));
    }

    private static float[] Logits(DecoderModel model)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var cache = new KvCache(model.Config, blockCount: 3, blockTokens: 16, model.Cache);
        var row = new ModelRow(new PassRow
        {
            Branch = 0,
            Model = 0,
            Tokens = Tokens,
            Position = 0,
            BlockTable = [2, 0, 1],
            OutputCount = Tokens.Length,
        });
        var step = new ModelStep([row], model.Config.WindowTokens, blockTokens: 16, model.Device, model.ActivationType);
        return model.Logits(model.Forward(step, cache)).data<float>().ToArray();
    }
}
