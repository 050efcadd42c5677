using System.Text.Json.Nodes;

namespace DeRa.Lab.Reproduction;

/// <summary>How the default pair is made: six commands of the Lab, one after the other, in one folder.</summary>
/// <param name="folder">Where texts, models and the finished pair go.</param>
/// <param name="compute">Options of those that compute, such as <c>--device</c> and its value.</param>
internal sealed class StoryPair(string folder, IReadOnlyList<string> compute)
{
    private const double Temperature = 0.7, MinP = 0.02;
    private static readonly string[] Models = ["reference", "aligned"];

    private static readonly string[] ModelFiles =
        ["config.json", "model.safetensors", "special_tokens_map.json", "tokenizer.json", "tokenizer_config.json"];

    /// <summary>The folder with the finished pair, <c>reference</c> and <c>aligned</c>.</summary>
    public string Finished => In("pair");

    /// <summary>The commands in their order, each as its arguments.</summary>
    /// <param name="texts">Files of stories to learn from.</param>
    /// <param name="heldOut">File of stories to measure with.</param>
    public IReadOnlyList<string[]> Commands(IReadOnlyList<string> texts, string heldOut) =>
    [
        ["stories", "--text", .. texts, "--held-out", heldOut, "--output", In("data")],
        ["tokenizer", "--text", .. Learned, "--vocabulary", "4096", "--output", In("tokenizer")],
        [
            "train", "--text", Stories, "--tokenizer", In("tokenizer"), "--output", In("pretrained"), "--hidden", "256",
            "--intermediate", "640", "--layers", "5", "--heads", "4", "--steps", "2400", "--warmup-steps", "50", "--batch-rows", "12",
            "--row-tokens", "512", "--optimizer", "muon", "--learning-rate", "4e-3", "--weight-decay", "0.1",
            "--compute-dtype", "bfloat16", "--seed", "1", .. compute,
        ],
        [
            "train", "--from", In("pretrained"), "--text", .. Learned, "--output", In("sft"), "--steps", "400",
            "--warmup-steps", "20", "--batch-rows", "12", "--row-tokens", "512", "--optimizer", "muon", "--learning-rate", "5e-4",
            "--weight-decay", "0.1", "--seed", "2", "--dtype", "bfloat16", .. compute,
        ],
        [
            "train", "--from", In("sft"), "--text", .. Learned, "--unlikelihood", "5", "--known-words", In("data", "words.txt"), Stories,
            "--output", In("reference"), "--steps", "40", "--warmup-steps", "5", "--batch-rows", "12", "--row-tokens", "512",
            "--optimizer", "muon", "--learning-rate", "2e-4", "--weight-decay", "0.1", "--checkpoint-steps", "10", "--seed", "4",
            "--dtype", "bfloat16", .. compute,
        ],
        [
            "align", "--reference", In("reference"), "--output", In("aligned"), "--method", "policy-gradient", "--beta", "0.02", "--reward",
            "story", "--prompts", .. Learned, "--prompts-per-step", "8", "--completions", "8", "--max-tokens", "200", "--steps", "60",
            "--learning-rate", "1e-4", "--warmup-steps", "3", "--checkpoint-steps", "10", "--seed", "3", "--dtype", "bfloat16",
            .. compute,
        ],
    ];

    /// <summary>
    /// Copies what serving needs to <see cref="Finished"/>; the pair asks for a temperature of 0.7 and a min_p of 0.02 where a
    /// request names none: what is unlikely at a place is mostly the wrong half of a word.
    /// </summary>
    public void Finish()
    {
        foreach (var model in Models)
        {
            var target = Directory.CreateDirectory(Path.Combine(Finished, model)).FullName;
            foreach (var file in ModelFiles) File.Copy(Path.Combine(In(model), file), Path.Combine(target, file), overwrite: true);
            var generation = JsonNode.Parse(File.ReadAllText(Path.Combine(In(model), "generation_config.json")))!;
            (generation["do_sample"], generation["temperature"], generation["min_p"]) = (true, Temperature, MinP);
            File.WriteAllText(Path.Combine(target, "generation_config.json"), generation + "\n");
        }
    }

    private string Stories => In("data", "stories.txt");

    private string[] Learned => [Stories, In("data", "chats.jsonl")];

    private string In(params string[] path) => Path.Combine([folder, .. path]);
}
