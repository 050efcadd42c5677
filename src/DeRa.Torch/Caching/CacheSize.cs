namespace DeRa.Torch.Caching;

/// <summary>How many blocks the caches get.</summary>
internal static class CacheSize
{
    /// <summary>Share of free memory on the CPU: the rest of the machine goes on living.</summary>
    public const double HostShare = 0.25;

    /// <summary>Share of free memory on a GPU: the rest is for activations.</summary>
    public const double DeviceShare = 0.85;

    /// <summary>More whole contexts than these are of no use by default: on the CPU, and on a GPU.</summary>
    public const int HostSequences = 16, DeviceSequences = 256;

    /// <summary>Up to so many bytes the caches may hold <see cref="SmallCacheSequences"/> on the CPU too: nobody misses them.</summary>
    public const long SmallCacheBytes = 256L << 20;

    /// <summary>As many as run at once by default, so that a small model's cache keeps none of them waiting.</summary>
    public const int SmallCacheSequences = 64;

    /// <summary>
    /// Blocks that hold so many whole sequences, or more where they are cheap, but take no more than a share of what is free
    /// on a device.
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
        var cheap = Math.Min(SmallCacheSequences * sequenceBlocks, SmallCacheBytes / bytesPerBlock);
        var wanted = Math.Max(sequences * sequenceBlocks, cheap);
        return (int)Math.Min(Math.Min(wanted, (long)(availableBytes * share) / bytesPerBlock), MaxBlocks(blockTokens));
    }

    /// <summary>Block ids and slots are 32-bit numbers.</summary>
    private static int MaxBlocks(int blockTokens) => int.MaxValue / blockTokens;
}
