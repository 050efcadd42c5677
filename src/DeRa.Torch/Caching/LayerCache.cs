using static TorchSharp.torch;

namespace DeRa.Torch.Caching;

/// <summary>One layer's part of a <see cref="KvCache"/>. Slot = block id · block tokens + offset.</summary>
/// <param name="Keys">[slots, keyValueHeads, headDimension], rotary positions applied.</param>
/// <param name="Values">[slots, keyValueHeads, headDimension].</param>
internal sealed record LayerCache(Tensor Keys, Tensor Values);
