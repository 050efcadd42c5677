using DeRa.Engine.Branches;
using Xunit;

namespace DeRa.Engine.Tests.Branches;

public class BlockPoolTests
{
    [Fact]
    public void Takes_all_or_nothing()
    {
        var pool = new BlockPool(4);
        Assert.Equal(3, pool.TryTake(3)!.Distinct().Count());
        Assert.Null(pool.TryTake(2));
        Assert.Equal(3, pool.InUse);
    }

    [Fact]
    public void Returned_blocks_can_be_taken_again()
    {
        var pool = new BlockPool(4);
        pool.Return(pool.TryTake(4)!);
        Assert.Equal(0, pool.InUse);
        Assert.Equal([0, 1, 2, 3], pool.TryTake(4)!.Order());
    }

    [Fact]
    public void A_block_freed_twice_is_a_fault()
    {
        var pool = new BlockPool(4);
        var blocks = pool.TryTake(1)!;
        pool.Return(blocks);
        Assert.Throws<InvalidOperationException>(() => pool.Return(blocks));
    }
}
