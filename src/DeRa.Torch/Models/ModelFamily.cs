namespace DeRa.Torch.Models;

/// <summary>The architectures that the decoder implements.</summary>
public enum ModelFamily
{
    /// <summary><c>LlamaForCausalLM</c>.</summary>
    Llama,

    /// <summary><c>MistralForCausalLM</c>.</summary>
    Mistral,

    /// <summary><c>Qwen2ForCausalLM</c> (Qwen1.5, Qwen2, Qwen2.5).</summary>
    Qwen2,
}
