using System.Text.Json;
using DeRa.Testing;

namespace DeRa.Lab.Tests.Tokenizers;

/// <summary>
/// The files under Golden. corpus.txt is the training text of all the others. reference.json was made with npm's tokenizers
/// 0.23.2, the native library of Hugging Face: <c>merges</c> by <c>train</c> on corpus.txt with an empty BPE and
/// <c>byteLevelPreTokenizer(false, true)</c>, <c>cases</c> by <c>Tokenizer.fromFile("tokenizer.json").encode(text)</c>;
/// @huggingface/tokenizers 0.2.0 gives the same ids. chat_template.json was made with @huggingface/jinja 0.5.11: each
/// <c>rendered</c> is <c>new Template(template).render({ messages, add_generation_prompt, bos_token, eos_token })</c>.
/// </summary>
internal static class GoldenFiles
{
    public static string Folder { get; } =
        Path.Combine(SharedData.ProjectRoot, "tests", "DeRa.Lab.Tests", "Tokenizers", "Golden");

    public static string Text(string name) => File.ReadAllText(Path.Combine(Folder, name));

    public static JsonElement Json(string name) => JsonDocument.Parse(Text(name)).RootElement;
}
