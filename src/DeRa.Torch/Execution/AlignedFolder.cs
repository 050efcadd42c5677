namespace DeRa.Torch.Execution;

/// <summary>One aligned model of a pair.</summary>
/// <param name="Name">Its name, by which requests may give it a strength.</param>
/// <param name="Path">A Hugging Face model folder.</param>
public sealed record AlignedFolder(string Name, string Path);
