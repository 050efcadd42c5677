using System.Runtime.Intrinsics;
using static TorchSharp.torch;

namespace DeRa.Torch.Operators;

/// <summary>Functions of each element in float32 on the CPU (<see cref="CpuKernels"/>): the same bits wherever an element lies.</summary>
internal static class CpuActivation
{
    private static readonly float GeluScale = (float)(2 * Math.Sqrt(2 / Math.PI));

    /// <summary>x · σ(x), in place.</summary>
    public static Tensor SiluInPlace(Tensor values) => Apply(values, x => TimesSigmoid(x, x));

    /// <summary>x · σ(1.702 x), in place.</summary>
    public static Tensor QuickGeluInPlace(Tensor values) => Apply(values, x => TimesSigmoid(x, x * 1.702f));

    /// <summary>x / 2 · (1 + tanh(√(2/π) · (x + 0.044715 x³))), which is x · σ(2 √(2/π) · (…)), in place.</summary>
    public static Tensor GeluTanhInPlace(Tensor values) =>
        Apply(values, x => TimesSigmoid(x, (x + x * x * x * 0.044715f) * GeluScale));

    /// <summary>cap · tanh(x / cap), in place.</summary>
    public static Tensor SoftCapInPlace(Tensor values, double cap) => Apply(values, x => SoftCap(x, (float)cap));

    /// <inheritdoc cref="SoftCapInPlace"/>
    internal static Vector256<float> SoftCap(Vector256<float> x, float cap) =>
        Vector256.Create(cap) - Vector256.Create(2 * cap) / (Vector256.Exp(x * (2 / cap)) + Vector256<float>.One);

    private static Vector256<float> TimesSigmoid(Vector256<float> x, Vector256<float> z) => x / (Vector256<float>.One + Vector256.Exp(-z));

    private static Tensor Apply(Tensor values, Func<Vector256<float>, Vector256<float>> function)
    {
        var elements = CpuKernels.Elements(values);
        var whole = elements.Length - elements.Length % Vector256<float>.Count;
        for (var i = 0; i < whole; i += Vector256<float>.Count)
            function(Vector256.Create<float>(elements[i..])).CopyTo(elements[i..]);
        if (whole == elements.Length) return values;
        // What is left goes through the same code.
        Span<float> rest = stackalloc float[Vector256<float>.Count];
        elements[whole..].CopyTo(rest);
        function(Vector256.Create<float>(rest)).CopyTo(rest);
        rest[..(elements.Length - whole)].CopyTo(elements[whole..]);
        return values;
    }
}
