using DeRa.Testing;
using Xunit;

namespace DeRa.Cli.Tests;

public class SeedTests
{
    [Fact]
    public async Task Minus_1_is_a_random_seed_and_other_negative_numbers_are_seeds()
    {
        async Task<string> TextAsync(string seed)
        {
            var run = await CommandRun.OfAsync(["generate", "--reference", GoldenData.Committed("pair/sft"),
                "--aligned", GoldenData.Committed("pair/aligned"), "--device", "cpu", "--max-tokens", "20", "--ignore-eos",
                "--seed", seed, "Once upon a time"]);
            Assert.Equal(0, run.Code);
            return run.Out;
        }
        Assert.NotEqual(await TextAsync("-1"), await TextAsync("-1"));
        Assert.Equal(await TextAsync("-2"), await TextAsync("-2"));
    }
}
