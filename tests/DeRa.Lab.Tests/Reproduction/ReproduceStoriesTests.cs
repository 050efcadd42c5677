using System.Text.Json.Nodes;
using DeRa.Lab.Commands;
using DeRa.Lab.Reproduction;
using DeRa.Lab.Tests.Commands;
using DeRa.Testing;
using Xunit;

namespace DeRa.Lab.Tests.Reproduction;

public sealed class ReproduceStoriesTests(TinyPair tiny) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Every_command_that_makes_the_pair_is_one()
    {
        var commands = new StoryPair(_folder.Path, ["--device", "cpu", "--threads", "1"]).Commands(["a.txt", "b.txt"], "c.txt");
        Assert.Equal(["stories", "tokenizer", "train", "train", "train", "align"], commands.Select(command => command[0]));
        Assert.All(commands, command => Assert.Empty(LabCommands.Parse(command).Errors));
        Assert.All(commands, command => Assert.Null(LabCommands.UnknownOption(LabCommands.Parse(command))));
        // What one writes, another reads.
        Assert.Equal(After(commands[1], "--output"), After(commands[2], "--tokenizer"));
        Assert.Equal(After(commands[2], "--output"), After(commands[3], "--from"));
        Assert.Equal(After(commands[3], "--output"), After(commands[4], "--from"));
        Assert.Equal(After(commands[4], "--output"), After(commands[5], "--reference"));
    }

    [Fact]
    public void The_finished_pair_is_what_serving_needs_and_asks_for_its_temperature()
    {
        foreach (var model in (string[])["reference", "aligned"])
        {
            Directory.CreateDirectory(Path.Combine(_folder.Path, model));
            foreach (var file in Directory.GetFiles(tiny.Model))
                File.Copy(file, Path.Combine(_folder.Path, model, Path.GetFileName(file)));
        }
        var pair = new StoryPair(_folder.Path, []);
        pair.Finish();
        pair.Finish();
        foreach (var model in (string[])["reference", "aligned"])
        {
            var finished = Path.Combine(pair.Finished, model);
            Assert.Equal(
                ["config.json", "generation_config.json", "model.safetensors", "special_tokens_map.json", "tokenizer.json",
                    "tokenizer_config.json"],
                Directory.GetFiles(finished).Select(Path.GetFileName).Order(StringComparer.Ordinal));
            Assert.Equal(File.ReadAllBytes(Path.Combine(tiny.Model, "model.safetensors")),
                File.ReadAllBytes(Path.Combine(finished, "model.safetensors")));
            var generation = JsonNode.Parse(File.ReadAllText(Path.Combine(finished, "generation_config.json")))!;
            Assert.Equal(
                (true, 0.7, 0.02, 0),
                ((bool)generation["do_sample"]!, (double)generation["temperature"]!, (double)generation["min_p"]!,
                    (int)generation["eos_token_id"]!));
        }
    }

    [Fact]
    public async Task The_first_command_that_fails_ends_it()
    {
        var missing = Path.Combine(_folder.Path, "missing.txt");
        var run = await LabRun.OfAsync(
            TestContext.Current.CancellationToken, "reproduce", "stories", "--text", missing, "--held-out", missing,
            "--output", _folder.Path);
        Assert.Equal(2, run.Code);
        Assert.Contains($"--text: there is no file {missing}", run.Error, StringComparison.Ordinal);
        Assert.StartsWith("dera-lab stories --text", run.Out, StringComparison.Ordinal);
        Assert.Single(run.Out.TrimEnd().Split('\n'));
    }

    private static string After(string[] command, string option) => command[Array.IndexOf(command, option) + 1];
}
