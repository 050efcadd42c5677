using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using DeRa.Hosting.Options;

namespace DeRa.Server.Options;

/// <summary>Where and in which type the models run, how much cache they get, and who shares it.</summary>
internal sealed record ComputeOptions
{
    [Description("Where the models run: auto (CUDA where there is one, else CPU), cpu, cuda, cuda:i, or two of these separated by a comma, "
        + "the reference model's first."), Option(Placeholder = "DEVICE")]
    public string Device { get; init; } = "auto";

    [Description("Number format of the weights: auto (the checkpoint's), float32, bfloat16 or float16."), Option(Placeholder = "DTYPE")]
    public string Dtype { get; init; } = "auto";

    [Description("Number format of the caches of keys and values: auto (float32 on a CPU, unless libtorch computes in another; the "
        + "weights' on a GPU), float32, bfloat16 or float16."), Option(Placeholder = "DTYPE")]
    public string CacheDtype { get; init; } = "auto";

    [Description("What computes matrix products: auto (the server's own kernels on a CPU, libtorch on a GPU), cpu (its own) or torch."),
        Option(Placeholder = "KERNELS")]
    public string Kernels { get; init; } = "auto";

    [Description("What multiplies prompts where the kernels are the server's own: auto (they do) or torch (libtorch, over weights widened "
        + "to float32; a seed's text then depends on what runs beside it)."), Option(Placeholder = "KERNEL")]
    public string PrefillKernel { get; init; } = "auto";

    [Description("Folder of an existing libtorch (such as a PyTorch installation's torch/lib)."),
        Option(Placeholder = "FOLDER", DefaultText = "the one that comes with the server")]
    public string? Libtorch { get; init; }

    [Description("Threads for CPU computation."), Range(1, 1024), Option(DefaultText = "one for each physical core")]
    public int? Threads { get; init; }

    [Description("Most tokens of a sequence, prompt and output together."), Range(1, 1 << 24),
        Option(DefaultText = "what the models allow")]
    public int? ContextLength { get; init; }

    [Description("Tokens that the cache holds, over all sequences; both models' caches hold as many."), Range(1, 1 << 30),
        Option(DefaultText = "what fits into memory")]
    public int? CacheTokens { get; init; }

    [Description("Whether what was computed of a prompt serves requests of other API keys too. How soon the first token comes, and "
        + "cached_tokens, then tell a client whether others have sent the same text.")]
    public bool ShareCacheBetweenKeys { get; init; }
}
