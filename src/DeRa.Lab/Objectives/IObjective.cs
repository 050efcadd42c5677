using static TorchSharp.torch;

namespace DeRa.Lab.Objectives;

/// <summary>What an alignment method minimises. Stateless: one instance serves any number of steps and threads.</summary>
internal interface IObjective
{
    /// <summary>The method's name on the command line, in progress lines and in cards.</summary>
    string Name { get; }

    /// <summary>The KL strength β, above 0.</summary>
    double Beta { get; }

    /// <summary>
    /// The loss of one batch: a float64 scalar, differentiable in <see cref="SampleBatch.PolicyLogProbs"/> alone and owned by
    /// the caller's dispose scope.
    /// </summary>
    Tensor Loss(SampleBatch batch);
}
