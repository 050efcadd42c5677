using System.Diagnostics;
using System.Runtime.Intrinsics;
using DeRa.Torch.Operators;
using Xunit;

namespace DeRa.Torch.Tests.Operators;

/// <summary>
/// Functions of an element give the same bits on every processor: one fixed digest of many results, here and in processes whose vectors are
/// narrower or whose arithmetic goes without vectors.
/// </summary>
public sealed class ElementFunctionBitsTests
{
    private static readonly float[] Inputs = [.. Enumerable.Range(-20000, 40001).Select(i => i * 5e-3f)];

    [Theory]
    [InlineData("exp", 3548434738u), InlineData("soft-cap", 681355741u), InlineData("normal-tail", 486975691u)]
    public void Results_have_these_bits(string function, uint digest)
    {
        var hash = 2166136261u;
        foreach (var input in Inputs)
            foreach (var result in Bits(function, input))
                hash = unchecked((hash ^ result) * 16777619u);
        Assert.Equal(digest, hash);
    }

    [Theory]
    [InlineData("DOTNET_PreferredVectorBitWidth", "256"), InlineData("DOTNET_PreferredVectorBitWidth", "128")]
    [InlineData("DOTNET_EnableHWIntrinsic", "0")]
    public async Task Results_have_the_same_bits_with(string variable, string value)
    {
        var start = new ProcessStartInfo("dotnet",
            [Path.Combine(AppContext.BaseDirectory, "DeRa.Torch.Tests.dll"), "-method", $"*.{nameof(Results_have_these_bits)}"])
        { RedirectStandardOutput = true };
        start.Environment[variable] = value;
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Matches("Total: 3, Errors: 0, Failed: 0, Skipped: 0", output);
        Assert.Equal(0, process.ExitCode);
    }

    private static uint[] Bits(string function, float input)
    {
        var lanes = Vector256.Create(input) + Vector256.Create(0f, 1e-3f, 2e-3f, 3e-3f, 4e-3f, 1e-4f, 2e-4f, 3e-4f);
        var result = function switch
        {
            "exp" => CpuActivation.Exp(lanes),
            "soft-cap" => CpuActivation.SoftCap(lanes, 30),
            _ => NormalTail.Of(Vector256.Min(Vector256.Abs(lanes), Vector256.Create(NormalTail.End))),
        };
        var bits = new uint[Vector256<uint>.Count];
        result.AsUInt32().CopyTo(bits);
        return bits;
    }
}
