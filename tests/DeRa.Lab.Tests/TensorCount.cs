using TorchSharp;
using TorchSharp.Modules;
using Xunit;

namespace DeRa.Lab.Tests;

/// <summary>Counts every tensor of the process, so nothing else runs beside tests of this collection.</summary>
[CollectionDefinition(nameof(TensorCount), DisableParallelization = true)]
public sealed class TensorCount
{
    /// <summary>How many tensors live, those aside that wait for their finaliser.</summary>
    public static long Now
    {
        get
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            return torch.Tensor.TotalCount;
        }
    }

    /// <summary>How many more live after an action than before it.</summary>
    public static long Left(Action action)
    {
        var before = Now;
        action();
        return Now - before;
    }

    /// <summary>
    /// How many TorchSharp says are left of parameters that were disposed of: it counts the tensor that each was made of for ever.
    /// </summary>
    public static long LeftOfParameters(int count) => Left(() =>
    {
        for (var i = 0; i < count; i++) new Parameter(torch.zeros(1)).Dispose();
    });
}
