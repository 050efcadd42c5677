namespace DeRa.Torch.Execution;

/// <summary>A member of the pair that a loaded model computes.</summary>
/// <param name="Index">0 = the reference, i = the aligned model i − 1.</param>
/// <param name="Adapter">Which of the model's adapters it adds; null = none.</param>
internal readonly record struct RunnerMember(int Index, int? Adapter = null);
