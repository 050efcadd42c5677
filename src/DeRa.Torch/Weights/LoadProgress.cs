namespace DeRa.Torch.Weights;

/// <summary>Progress of loading one model's weights. Reported from the loading thread.</summary>
/// <param name="Model">Which model: its name, or the names of all that one folder serves as, joined by <c>+</c>.</param>
/// <param name="LoadedBytes">Bytes copied so far, as stored in the files.</param>
/// <param name="TotalBytes">Bytes to copy.</param>
public sealed record LoadProgress(string Model, long LoadedBytes, long TotalBytes);
