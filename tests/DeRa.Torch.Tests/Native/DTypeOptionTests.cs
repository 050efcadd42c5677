using DeRa.Torch.Native;
using Xunit;
using static TorchSharp.torch;

namespace DeRa.Torch.Tests.Native;

public sealed class DTypeOptionTests
{
    [Theory]
    [InlineData("auto", ScalarType.Float16)]
    [InlineData("float32", ScalarType.Float32)]
    [InlineData("BFloat16", ScalarType.BFloat16)]
    [InlineData("float16", ScalarType.Float16)]
    public void A_type_is_picked_and_auto_by_itself_takes_the_checkpoint_s(string text, ScalarType expected) =>
        Assert.Equal(expected, DTypeOption.Parse(text).Resolve(ScalarType.Float16));

    [Fact]
    public void Another_value_is_refused_by_the_option_s_name_and_its_allowed_values()
    {
        var error = Assert.Throws<FormatException>(() => DTypeOption.Parse("int8"));
        Assert.Equal("--dtype: 'int8' is not a type; allowed: auto, float32, bfloat16, float16", error.Message);
    }
}
