namespace DeRa.Torch.Caching;

/// <summary>How many blocks the caches get by default.</summary>
internal static class CacheSize
{
    /// <summary>Share of free memory on the CPU; the rest is left to other programs.</summary>
    public const double HostShare = 0.25;

    /// <summary>Share of free memory on a GPU; the rest is for activations.</summary>
    public const double DeviceShare = 0.85;

    /// <summary>Whole contexts that the caches hold at most by default: on the CPU, and on a GPU.</summary>
    public const int HostSequences = 16, DeviceSequences = 256;

    /// <summary>Up to this many bytes the caches hold <see cref="SmallCacheSequences"/> contexts on the CPU too.</summary>
    public const long SmallCacheBytes = 256L << 20;

    /// <summary>As many sequences as run at once by default, so that none waits for a small model's cache.</summary>
    public const int SmallCacheSequences = 64;

    /// <summary>
    /// Blocks for that many whole sequences, or more where the cache stays small, but no more than a share of a device's free
    /// memory.
    /// </summary>
    /// <param name="availableBytes">Free on the device.</param>
    /// <param name="share">How much of it the caches may take, (0, 1].</param>
    /// <param name="sequences">How many whole contexts are wanted.</param>
    /// <param name="contextTokens">Tokens of a whole context.</param>
    /// <param name="bytesPerBlock">One block in all caches on that device.</param>
    /// <param name="blockTokens">Tokens of a block.</param>
    /// <returns>At least 0.</returns>
    public static int DefaultBlocks(
        long availableBytes, double share, int sequences, int contextTokens, long bytesPerBlock, int blockTokens)
    {
        var sequenceBlocks = ((long)contextTokens + blockTokens - 1) / blockTokens;
        var small = Math.Min(SmallCacheSequences * sequenceBlocks, SmallCacheBytes / bytesPerBlock);
        var wanted = Math.Max(sequences * sequenceBlocks, small);
        return (int)Math.Min(Math.Min(wanted, (long)(availableBytes * share) / bytesPerBlock), MaxBlocks(blockTokens));
    }

    /// <summary>Block ids and slots are 32-bit numbers.</summary>
    private static int MaxBlocks(int blockTokens) => int.MaxValue / blockTokens;
}
