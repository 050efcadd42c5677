using DeRa.Torch.Caching;
using Xunit;

namespace DeRa.Torch.Tests.Caching;

public class CacheSizeTests
{
    private const long Mebibyte = 1 << 20, Gibibyte = 1 << 30;

    /// <summary>Contexts of 512 tokens in blocks of 16: 32 blocks each.</summary>
    private static int Blocks(long availableBytes, long bytesPerBlock, int sequences = CacheSize.HostSequences) =>
        CacheSize.DefaultBlocks(availableBytes, CacheSize.HostShare, sequences, contextTokens: 512, bytesPerBlock, blockTokens: 16);

    [Fact]
    public void A_small_model_gets_a_cache_for_all_that_may_run_at_once() =>
        Assert.Equal(64 * 32, Blocks(8 * Gibibyte, 128 << 10));

    [Fact]
    public void A_larger_one_gets_what_256_mebibytes_hold_but_never_less_than_16_contexts()
    {
        Assert.Equal(1024, Blocks(8 * Gibibyte, Mebibyte / 4));
        Assert.Equal(16 * 32, Blocks(8 * Gibibyte, Mebibyte));
        Assert.Equal(16 * 32, Blocks(80 * Gibibyte, 16 * Mebibyte));
    }

    [Fact]
    public void No_cache_takes_more_than_its_share_of_free_memory() =>
        Assert.Equal(25, Blocks(100 * Mebibyte, Mebibyte));

    [Fact]
    public void A_device_that_holds_more_contexts_by_default_keeps_them() =>
        Assert.Equal(256 * 32, Blocks(80 * Gibibyte, Mebibyte, CacheSize.DeviceSequences));
}
