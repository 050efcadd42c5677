using static TorchSharp.torch;

namespace DeRa.Lab.Tests.Objectives;

/// <summary>
/// Adam (arXiv 1412.6980) on one small tensor, in plain numbers: TorchSharp's own hands libtorch numbers that a garbage collection may
/// free during the call, which failed a test now and then.
/// </summary>
internal sealed class TableAdam(Tensor table)
{
    private const double Beta1 = 0.9, Beta2 = 0.999, Epsilon = 1e-8;

    private readonly double[] _mean = new double[table.numel()];
    private readonly double[] _square = new double[table.numel()];
    private int _steps;

    /// <summary>Moves the table against its gradient, and forgets that.</summary>
    public void Step(double rate)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var (gradient, values) = (Numbers(table.grad!), Numbers(table));
        _steps++;
        for (var i = 0; i < values.Length; i++)
        {
            _mean[i] = Beta1 * _mean[i] + (1 - Beta1) * gradient[i];
            _square[i] = Beta2 * _square[i] + (1 - Beta2) * gradient[i] * gradient[i];
            var (mean, square) = (_mean[i] / (1 - Math.Pow(Beta1, _steps)), _square[i] / (1 - Math.Pow(Beta2, _steps)));
            values[i] -= rate * mean / (Math.Sqrt(square) + Epsilon);
        }
        table.copy_(tensor(values, table.shape));
        table.grad!.zero_();
    }

    private static double[] Numbers(Tensor tensor) => tensor.to(ScalarType.Float64).contiguous().data<double>().ToArray();
}
