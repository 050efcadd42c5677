using System.Text.Json;
using DeRa.Hosting.Programs;
using DeRa.Protos.V1;
using DeRa.Server.Composition;
using DeRa.Server.Options;
using DeRa.Testing;
using Grpc.Core;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace DeRa.Server.Tests;

/// <summary>The whole server over real models.</summary>
public class RealPairTests
{
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;

    internal static async Task<ServerFixture> StartAsync(string reference, string aligned)
    {
        var options = new ServerOptions
        {
            Model = new() { Reference = reference, Aligned = [aligned], Name = "real" },
            Compute = new() { Device = "cpu", Dtype = "float32" },
            Time = new() { DrainSeconds = 0 }
        };
        var server = await ServerFixture.StartLoadingAsync(PairStartup.For(options, NullLoggerFactory.Instance), options: options);
        await server.PhaseChangedAsync();
        return server;
    }

    private static string SharedModel(string name)
    {
        var path = SharedData.Find("models/" + name);
        Assert.SkipWhen(path is null, SharedData.Missing);
        return path!;
    }

    private static string[] Words(string text) =>
        text.ToLowerInvariant().Split([' ', '\n', '.', ',', '!', '?', '"', ';', ':'], StringSplitOptions.RemoveEmptyEntries);

    private static string TokenIds(Reply reply) => reply.Choice().GetProperty("token_ids").GetRawText();

    [Theory]
    [InlineData("0")]
    [InlineData("0.5")]
    [InlineData("1")]
    [InlineData("2.5")]
    public async Task A_model_paired_with_itself_gives_its_published_text_at_any_strength(string strength)
    {
        var folder = SharedModel("stories260k");
        using var golden = JsonDocument.Parse(await File.ReadAllBytesAsync(Path.Combine(folder, "golden", "golden.json"), Stop));
        var published = golden.RootElement.GetProperty("published_greedy");
        await using var server = await StartAsync(folder, folder);
        var reply = await server.CompleteAsync($$"""
            {"prompt":{{published.GetProperty("input_ids").GetRawText()}},"lambda":{{strength}},"temperature":0,"ignore_eos":true,
             "max_tokens":{{published.GetProperty("steps").GetRawText()}},"return_token_ids":true}
            """);
        Assert.Equal(
            published.GetProperty("greedy_ids").EnumerateArray().Select(id => id.GetInt32()),
            reply.Choice().GetProperty("token_ids").EnumerateArray().Select(id => id.GetInt32()));
        Assert.Equal(published.GetProperty("text").GetString(), reply.Text().TrimStart());
    }

    [Fact]
    public async Task A_real_pair_streams_other_text_at_other_strengths_the_same_over_both_doors()
    {
        await using var server = await StartAsync(SharedModel("babyllama-reference"), SharedModel("babyllama-aligned"));
        var texts = new List<string>();
        foreach (var strength in (double[])[0, 0.5, 1, 1.5])
        {
            var http = await server.CompleteAsync(
                $$"""{"prompt":"Once upon a time","lambda":{{strength}},"seed":3,"temperature":0.5,"max_tokens":200,"stream":true}""");
            texts.Add(string.Concat(http.Events().Select(e => e.GetProperty("choices")[0].GetProperty("text").GetString())));
            using var call = server.Inference.GenerateStream(new GenerateStreamRequest
            {
                Prompt = new Prompt { Text = "Once upon a time" },
                Options = new GenerationOptions { AlignmentStrength = strength, Seed = 3, Temperature = 0.5, MaxTokens = 200 },
            }, cancellationToken: Stop);
            var grpc = string.Concat(await call.ResponseStream.ReadAllAsync(Stop).Select(e => e.Delta?.Text).ToListAsync(Stop));
            Assert.Equal(texts[^1], grpc);
        }
        Assert.Equal(4, texts.Distinct().Count());
        // Fluent: nearly all words are words of the stories that the models learnt from; of a random text hardly any would be.
        var known = Words(await File.ReadAllTextAsync(SharedModel("../text/tinystories-lowercase-4mb.txt"), Stop)).ToHashSet();
        foreach (var text in texts)
        {
            var words = Words(text[..text.LastIndexOf(' ')]);
            Assert.True(words.Length > 20 && words.Count(known.Contains) >= 0.8 * words.Length, text);
        }
        await ServerFixture.EventuallyAsync(() => server.Engine.Status.BlocksInUse == 0);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_ends_of_the_strength_are_the_two_models(bool shared)
    {
        var (reference, aligned) = shared ? (SharedModel("babyllama-reference"), SharedModel("babyllama-aligned"))
            : (GoldenData.Committed("pair/sft"), GoldenData.Committed("pair/aligned"));
        async Task<string> Tokens(string first, string second, int strength)
        {
            await using var server = await StartAsync(first, second);
            return TokenIds(await server.CompleteAsync(
                $$"""{"prompt":"One day","lambda":{{strength}},"seed":8,"max_tokens":64,"ignore_eos":true,"return_token_ids":true}"""));
        }
        Assert.Equal(await Tokens(reference, reference, 1), await Tokens(reference, aligned, 0));
        Assert.Equal(await Tokens(aligned, aligned, 0), await Tokens(reference, aligned, 1));
        Assert.NotEqual(await Tokens(reference, aligned, 0), await Tokens(reference, aligned, 1));
    }

    [Fact]
    public async Task An_adapter_is_served_as_the_model_that_it_is_merged_into()
    {
        var merged = SharedModel("../golden/pair/merged");
        var sft = GoldenData.Committed("pair/sft");
        async Task<List<string>> Tokens(string aligned)
        {
            await using var server = await StartAsync(sft, aligned);
            var tokens = new List<string>();
            foreach (var model in (string[])["real-reference", "real@0.5", "real-aligned", "real@-0.5", "real@2"])
                tokens.Add(TokenIds(await server.CompleteAsync(
                    $$"""{"prompt":"One day","model":"{{model}}","temperature":0,"max_tokens":48,"ignore_eos":true,"return_token_ids":true}""")));
            return tokens;
        }
        var adapted = await Tokens(GoldenData.Committed("pair/lora"));
        Assert.Equal(await Tokens(merged), adapted);
        Assert.Equal(5, adapted.Distinct().Count());
    }

    [Fact]
    public async Task A_chat_ends_at_endoftext_where_only_the_tokenizer_names_it_and_never_shows_it()
    {
        using var folder = new TemporaryFolder().CopyFrom(GoldenData.Committed("pair/sft"));
        foreach (var file in (string[])["config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json"])
        {
            var text = await File.ReadAllTextAsync(Path.Combine(folder.Path, file), Stop);
            folder.Write(file, text.Replace("</s>", "<|endoftext|>", StringComparison.Ordinal)
                .Replace("\"eos_token_id\": 2,", "", StringComparison.Ordinal));
        }
        await using var server = await StartAsync(folder.Path, folder.Path);
        // The bias makes the untrained model end its text, but not at once.
        var reply = await server.ChatAsync(
            """{"messages":[{"role":"user","content":"A story, please"}],"seed":4,"logit_bias":{"2":3},"return_token_ids":true}""");
        Assert.Equal("stop", reply.Choice().GetProperty("finish_reason").GetString());
        var tokens = reply.Choice().GetProperty("token_ids").EnumerateArray().Select(id => id.GetInt32()).ToList();
        Assert.True(tokens.Count > 1 && tokens.IndexOf(2) == tokens.Count - 1, string.Join(' ', tokens));
        Assert.DoesNotContain("endoftext", reply.Text(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_that_is_no_model_is_a_line_that_names_it()
    {
        var (folder, errors) = (Directory.CreateTempSubdirectory().FullName, new StringWriter());
        await File.WriteAllTextAsync(Path.Combine(folder, "config.json"), "{}", Stop);
        var code = await ServerProgram.RunAsync(["--reference", folder, "--aligned", folder, "--http-port=0", "--grpc-port=0"],
            new Dictionary<string, string>(), PairStartup.For, TextWriter.Null, errors).WaitAsync(Stop);
        Directory.Delete(folder, recursive: true);
        Assert.Equal(HostedProgram.StartFailed, code);
        Assert.Contains(folder, Assert.Single(errors.ToString().TrimEnd().Split('\n')), StringComparison.Ordinal);
    }
}
