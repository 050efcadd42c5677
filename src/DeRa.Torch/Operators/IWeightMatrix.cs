using static TorchSharp.torch;

namespace DeRa.Torch.Operators;

/// <summary>A weight matrix [outputs, inputs], as libtorch or as our own kernels read it.</summary>
internal interface IWeightMatrix : IDisposable
{
    /// <summary>Memory it takes.</summary>
    long Bytes { get; }

    /// <summary>The tensors that hold it; none where the memory is our own.</summary>
    IEnumerable<Tensor> Tensors { get; }

    /// <summary>input · weightᵀ + bias, accumulated in float32.</summary>
    /// <param name="input">[rows, inputs], in the type of activations.</param>
    /// <param name="bias">[outputs], in the type of activations; null = none.</param>
    /// <returns>[rows, outputs] in the input's element type, owned by the caller's scope.</returns>
    Tensor Product(Tensor input, Tensor? bias);

    /// <summary>Copies rows out of the matrix.</summary>
    /// <param name="outputs">[rows], int64: which.</param>
    /// <returns>[rows, inputs], owned by the caller's scope; in float32 where the memory is our own, else in the weights' type.</returns>
    Tensor Rows(Tensor outputs);
}

/// <summary>A weight matrix of libtorch's.</summary>
/// <param name="weight">[outputs, inputs].</param>
internal sealed class TensorMatrix(Tensor weight) : IWeightMatrix
{
    /// <inheritdoc/>
    public long Bytes => weight.numel() * weight.ElementSize;

    /// <inheritdoc/>
    public IEnumerable<Tensor> Tensors => [weight];

    /// <inheritdoc/>
    public Tensor Product(Tensor input, Tensor? bias) => nn.functional.linear(input, weight, bias);

    /// <inheritdoc/>
    public Tensor Rows(Tensor outputs) => weight.index_select(0, outputs);

    /// <inheritdoc/>
    public void Dispose() => weight.Dispose();
}
