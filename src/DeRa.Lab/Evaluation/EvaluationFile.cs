using System.Text;
using System.Text.Json;

namespace DeRa.Lab.Evaluation;

/// <summary>
/// An evaluation's samples so far, on disk: a line that describes it, then a line for each part of a strength. After an interruption
/// at any point, it is resumed from its last whole line; what is missing, such as strengths requested later, is added.
/// </summary>
internal sealed class EvaluationFile
{
    private readonly string _path;
    private readonly Dictionary<(double Strength, int First), EvaluationPart> _parts = [];

    private EvaluationFile(string path) => _path = path;

    /// <summary>Opens a file, or begins one.</summary>
    /// <param name="path">The file; its folder exists.</param>
    /// <param name="description">Everything that determines a part except its strength.</param>
    /// <exception cref="LabException">It holds another evaluation, or something else.</exception>
    public static EvaluationFile Open(string path, string description)
    {
        var file = new EvaluationFile(path);
        var head = JsonSerializer.Serialize(new { evaluation = description }) + "\n";
        var text = File.Exists(path) ? File.ReadAllText(path) : "";
        if (head.StartsWith(text, StringComparison.Ordinal)) File.WriteAllText(path, head);
        else if (text.StartsWith(head, StringComparison.Ordinal)) file.Continue(text, head.Length);
        else throw new LabException($"{path} holds another evaluation (its first line says of what); name another --output, or remove it.");
        return file;
    }

    /// <summary>A part that was sampled before; else null.</summary>
    public EvaluationPart? Find(double strength, int first) => _parts.GetValueOrDefault((strength, first));

    /// <summary>Keeps a part.</summary>
    public void Add(EvaluationPart part)
    {
        _parts[(part.Strength, part.First)] = part;
        File.AppendAllText(_path, JsonSerializer.Serialize(part) + "\n");
    }

    /// <summary>Reads whole lines, and truncates the file after them.</summary>
    private void Continue(string text, int begin)
    {
        var whole = begin;
        for (int end; (end = text.IndexOf('\n', whole)) >= 0 && Read(text[whole..end]) is { } part; whole = end + 1)
            _parts[(part.Strength, part.First)] = part;
        if (whole == text.Length) return;
        using var file = new FileStream(_path, FileMode.Open, FileAccess.Write);
        file.SetLength(Encoding.UTF8.GetByteCount(text.AsSpan(0, whole)));
    }

    private static EvaluationPart? Read(string line)
    {
        try
        {
            return JsonSerializer.Deserialize<EvaluationPart>(line);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>Completions that were sampled in one batch, in their order.</summary>
/// <param name="Strength">λ.</param>
/// <param name="First">The first of them among all of the strength, from 0.</param>
/// <param name="Rewards">One a completion.</param>
/// <param name="Tokens">Their lengths, end token not counted.</param>
/// <param name="Finished">Whether each ended by its end token.</param>
/// <param name="Texts">What was written, without the prompts.</param>
internal sealed record EvaluationPart(double Strength, int First, IReadOnlyList<double> Rewards, IReadOnlyList<int> Tokens,
    IReadOnlyList<bool> Finished, IReadOnlyList<string> Texts);
