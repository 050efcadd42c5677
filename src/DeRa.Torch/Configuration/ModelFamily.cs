namespace DeRa.Torch.Configuration;

/// <summary>The architectures that the decoder implements.</summary>
public enum ModelFamily
{
    /// <summary><c>LlamaForCausalLM</c>.</summary>
    Llama,

    /// <summary><c>MistralForCausalLM</c>.</summary>
    Mistral,

    /// <summary><c>Qwen2ForCausalLM</c> (Qwen1.5, Qwen2, Qwen2.5).</summary>
    Qwen2,

    /// <summary><c>Qwen3ForCausalLM</c>.</summary>
    Qwen3,

    /// <summary><c>Gemma2ForCausalLM</c>.</summary>
    Gemma2,

    /// <summary><c>GPT2LMHeadModel</c>.</summary>
    Gpt2,

    /// <summary><c>GPTNeoXForCausalLM</c> (Pythia).</summary>
    GptNeoX,
}
