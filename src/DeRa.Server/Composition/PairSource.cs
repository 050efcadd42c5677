using DeRa.Serving;
using DeRa.Torch.Weights;

namespace DeRa.Server.Composition;

/// <summary>Loads the pair of models that is to be served; called once, after the ports are open.</summary>
/// <param name="progress">Receives how far each model is; any thread.</param>
/// <param name="cancellation">The server is asked to stop.</param>
/// <returns>The pair; the server owns it and disposes its engine.</returns>
internal delegate Task<ServedPair> PairSource(IProgress<LoadProgress> progress, CancellationToken cancellation);
