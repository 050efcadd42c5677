namespace DeRa.Torch.Verification;

/// <summary>How a device's logits compare with a golden folder's.</summary>
/// <param name="Folder">The golden folder.</param>
/// <param name="Device">The device.</param>
/// <param name="ElementType">The element type, such as <c>Float32</c>.</param>
/// <param name="VectorBits">Width of the vectors of our own kernels; null where libtorch computes products.</param>
/// <param name="Checks">One a case and way of running it.</param>
public sealed record GoldenReport(string Folder, string Device, string ElementType, int? VectorBits, IReadOnlyList<GoldenCheck> Checks)
{
    /// <summary>Whether every check passed.</summary>
    public bool Passed => Checks.Count > 0 && Checks.All(check => check.Passed);
}

/// <summary>One case, run in one way.</summary>
/// <param name="Case">The case's name.</param>
/// <param name="Way">How its tokens were split into steps.</param>
/// <param name="LargestDifference">Largest |logit − float64 logit| over all positions and tokens; infinite where one is not finite.</param>
/// <param name="Bound">The largest difference allowed.</param>
/// <param name="GreedyDiffers">How many greedy tokens differ from the golden ones.</param>
/// <param name="Passed">Within the bound and, in float32, every greedy token equal.</param>
public sealed record GoldenCheck(string Case, string Way, double LargestDifference, double Bound, int GreedyDiffers, bool Passed);
