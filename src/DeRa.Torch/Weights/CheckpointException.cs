namespace DeRa.Torch.Weights;

/// <summary>A model folder cannot be used. The message names the file, the tensor or field, and what is allowed.</summary>
public sealed class CheckpointException : Exception
{
    private const int MaxLength = 4000;

    /// <summary>Says what is wrong with a file.</summary>
    /// <param name="path">The file or folder.</param>
    /// <param name="problem">What is wrong and what is allowed.</param>
    /// <param name="innerException">What was caught, where something was.</param>
    public CheckpointException(string path, string problem, Exception? innerException = null)
        : base(Printable($"{path}: {problem}"), innerException) => Path = path;

    /// <summary>The file or folder that cannot be used.</summary>
    public string Path { get; }

    /// <summary>Names in a model's files are untrusted: they must not control the terminal that shows them, or flood it.</summary>
    private static string Printable(string message)
    {
        var shown = message.Length <= MaxLength ? message : message[..MaxLength] + "...";
        return string.Concat(shown.Select(character => char.IsControl(character) ? $"\\u{(int)character:x4}" : $"{character}"));
    }

    /// <summary>Says what is wrong with one tensor of a file.</summary>
    internal static CheckpointException ForTensor(string path, string tensor, string problem) =>
        new(path, $"tensor '{tensor}': {problem}");
}
