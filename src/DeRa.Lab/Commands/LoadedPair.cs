using DeRa.Lab.Models;
using DeRa.Lab.Sampling;
using DeRa.Text;
using DeRa.Text.Loading;
using static TorchSharp.torch;

namespace DeRa.Lab.Commands;

/// <summary>A pair that commands sample from, or a single model.</summary>
internal sealed class LoadedPair : IDisposable
{
    private readonly TrainableDecoder? _aligned;

    /// <param name="folder">The reference's, with the tokenizer.</param>
    /// <param name="alignedFolder">The aligned model's; null = the reference alone.</param>
    /// <param name="device">Where the weights are.</param>
    /// <exception cref="LabException">The vocabularies differ.</exception>
    public LoadedPair(string folder, string? alignedFolder, Device device)
    {
        Tokenizer = TokenizerLoader.Load(folder);
        if (alignedFolder is not null) SameVocabulary.Require(Tokenizer, alignedFolder);
        Reference = TrainableDecoder.Load(folder, device);
        try
        {
            _aligned = alignedFolder is null ? null : TrainableDecoder.Load(alignedFolder, device);
        }
        catch
        {
            Reference.Dispose();
            throw;
        }
    }

    public ITokenizer Tokenizer { get; }

    public TrainableDecoder Reference { get; }

    /// <summary>The pair at a strength, which is 0 for a single model.</summary>
    /// <exception cref="LabException">Strength, temperature or min-p is out of its range.</exception>
    public Mixture At(double strength, double temperature, double minP = 0) => _aligned is null
        ? Mixture.Of(Reference, temperature, minP) : new Mixture(Reference, _aligned, strength, temperature, minP);

    public void Dispose()
    {
        Reference.Dispose();
        _aligned?.Dispose();
    }
}
