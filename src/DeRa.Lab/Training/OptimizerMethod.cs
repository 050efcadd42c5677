namespace DeRa.Lab.Training;

/// <summary>How weights follow their gradients.</summary>
internal enum OptimizerMethod
{
    /// <summary>Adam with decoupled weight decay (arXiv 1711.05101).</summary>
    AdamW,

    /// <summary>
    /// Orthogonalised momentum for the matrices of layers (Jordan, 2024), scaled so that AdamW's learning rate and weight decay fit
    /// (arXiv 2502.16982); AdamW for embeddings, output layer and norms.
    /// </summary>
    Muon,
}
