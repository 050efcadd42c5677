using DeRa.Torch.Native;
using static TorchSharp.torch;

namespace DeRa.Lab.Training;

/// <summary>The direction of a Muon step (Jordan, 2024): momentum with all singular values near 1.</summary>
internal static class Muon
{
    private const double Momentum = 0.95, Smallest = 1e-7;

    /// <summary>Root mean square of AdamW's steps, to which these are scaled (arXiv 2502.16982, section 2.2).</summary>
    private const double RootMeanSquare = 0.2;

    private const int Iterations = 5;

    // The quintic of the reference implementation: it takes singular values in (0, 1] to about 0.7 … 1.2.
    private const double A = 3.4445, B = -4.7750, C = 2.0315;

    /// <summary>Takes a gradient into the momentum, and gives the direction to go against.</summary>
    /// <param name="gradient">[rows, columns], float32.</param>
    /// <param name="momentum">The same shape; changed.</param>
    public static Tensor Direction(Tensor gradient, Tensor momentum)
    {
        momentum.TimesInPlace(Momentum).PlusInPlace(gradient.Times(1 - Momentum));
        // Nesterov's: a step ahead of the mean.
        var ahead = momentum.Times(Momentum).PlusInPlace(gradient.Times(1 - Momentum));
        return Orthogonal(ahead).Times(RootMeanSquare * Math.Sqrt(Math.Max(gradient.size(0), gradient.size(1))));
    }

    /// <summary>U·Vᵀ of a matrix U·S·Vᵀ, roughly: five Newton-Schulz iterations.</summary>
    public static Tensor Orthogonal(Tensor matrix)
    {
        var isTall = matrix.size(0) > matrix.size(1);
        var x = isTall ? matrix.t() : matrix;
        x = x / x.norm().Plus(Smallest);
        for (var i = 0; i < Iterations; i++)
        {
            var square = x.mm(x.t());
            x = x.Times(A).PlusInPlace(square.Times(B).PlusInPlace(square.mm(square).Times(C)).mm(x));
        }
        return isTall ? x.t() : x;
    }
}
