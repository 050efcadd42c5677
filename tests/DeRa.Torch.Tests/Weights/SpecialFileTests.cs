using System.Diagnostics;
using DeRa.Serving.Inspection;
using DeRa.Testing;
using DeRa.Text.Chat;
using DeRa.Text.Loading;
using Xunit;

namespace DeRa.Torch.Tests.Weights;

/// <summary>
/// A pipe, a device or a directory in place of a model's file. Opening a pipe waits for a writer, who never comes: where that
/// happens again a test would hang, and ends after a minute instead.
/// </summary>
public sealed class SpecialFileTests
{
    public static TheoryData<string, string> ModelFiles
    {
        get
        {
            var files = new TheoryData<string, string>();
            foreach (var name in new[] { "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json",
                "generation_config.json", "special_tokens_map.json" })
                foreach (var kind in new[] { "pipe", "device", "directory" })
                    if (kind != "directory" || name is "config.json" or "model.safetensors" or "tokenizer.json") files.Add(name, kind);
            return files;
        }
    }

    [Theory, MemberData(nameof(ModelFiles))]
    public async Task In_a_models_folder_it_is_a_problem_with_its_name(string name, string kind)
    {
        using var folder = new TemporaryFolder().CopyFrom(GoldenData.Committed("pair/sft"));
        Replace(folder, name, kind);
        var inspection = await InTimeAsync(() => ModelInspection.Read(folder.Path));
        var expected = kind == "directory" && name == "model.safetensors" ? folder.Path + ": no weights"
            : kind == "directory" && name == "tokenizer.json" ? folder.Path + ": no tokenizer" : Path.Combine(folder.Path, name) + ": ";
        Assert.Contains(inspection.Problems, problem => problem.StartsWith(expected, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("model-00002-of-00002.safetensors", "pipe"), InlineData("model-00002-of-00002.safetensors", "device")]
    [InlineData("model-00002-of-00002.safetensors", "directory"), InlineData("model.safetensors.index.json", "pipe")]
    public async Task In_place_of_a_shard_or_their_index_it_is_a_problem_with_its_name(string name, string kind)
    {
        using var folder = new TemporaryFolder().CopyFrom(GoldenData.Committed("qwen2"));
        Replace(folder, name, kind);
        var inspection = await InTimeAsync(() => ModelInspection.Read(folder.Path));
        Assert.Contains(inspection.Problems, problem =>
            problem.StartsWith(Path.Combine(folder.Path, name) + ": ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("adapter_config.json", "pipe"), InlineData("adapter_config.json", "device")]
    [InlineData("adapter_model.safetensors", "pipe"), InlineData("adapter_model.safetensors", "device")]
    public async Task In_an_adapters_folder_it_is_a_problem_with_its_name(string name, string kind)
    {
        using var folder = new TemporaryFolder().CopyFrom(GoldenData.Committed("pair/lora"));
        Replace(folder, name, kind);
        var inspection = await InTimeAsync(() => AdapterInspection.Read(folder.Path, baseModel: null));
        Assert.Contains(inspection.Problems, problem =>
            problem.StartsWith(Path.Combine(folder.Path, name) + ": ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("chat_template.jinja"), InlineData("chat_template.json"), InlineData("tokenizer.model")]
    public async Task In_place_of_a_template_or_a_SentencePiece_model_it_does_not_hang(string name)
    {
        using var folder = new TemporaryFolder().CopyFrom(GoldenData.Committed("pair/sft"));
        File.Delete(Path.Combine(folder.Path, "tokenizer.json"));
        Replace(folder, name, "pipe");
        await InTimeAsync(() => Record.Exception(() => name == "tokenizer.model"
            ? (object?)TokenizerLoader.Load(folder.Path) : ChatTemplate.Load(folder.Path, TimeProvider.System)) ?? new FormatException());
    }

    [Fact]
    public void A_link_to_a_file_is_read_as_that_file()
    {
        using var folder = new TemporaryFolder();
        foreach (var file in Directory.EnumerateFiles(GoldenData.Committed("pair/sft")))
            File.CreateSymbolicLink(Path.Combine(folder.Path, Path.GetFileName(file)), file);
        Assert.Empty(ModelInspection.Read(folder.Path).Problems);
    }

    private static Task<T> InTimeAsync<T>(Func<T> read) =>
        Task.Run(read).WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);

    private static void Replace(TemporaryFolder folder, string name, string kind)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no such files");
        var path = Path.Combine(folder.Path, name);
        File.Delete(path);
        if (kind == "directory") Directory.CreateDirectory(path);
        else if (kind == "device") File.CreateSymbolicLink(path, "/dev/zero");
        else
        {
            using var made = Process.Start("mkfifo", [path]);
            made.WaitForExit();
            Assert.Equal(0, made.ExitCode);
        }
    }
}
