using System.Collections.Frozen;
using System.Text.Json;

namespace DeRa.Torch.Configuration;

/// <summary>
/// Fields of <c>config.json</c> that are ignored because they cannot change what the model computes. Any other unread field is
/// refused: one that changes the mathematics must not be dropped silently.
/// </summary>
internal static class IgnoredFields
{
    private static readonly FrozenSet<string> Names = FrozenSet.Create(StringComparer.Ordinal,
    [
        // Metadata: who wrote it, and with what.
        "_name_or_path", "_commit_hash", "transformers_version", "transformers.js_config", "is_llama_config", "unsloth_version",
        "unsloth_fixed", "name_or_path", "tokenizer_class", "task_specific_params", "finetuning_task", "problem_type",
        "id2label", "label2id", "prefix",
        // Only training reads these.
        "initializer_range", "attention_dropout", "hidden_dropout", "embd_pdrop", "resid_pdrop", "attn_pdrop", "tf_legacy_loss",
        "attention_probs_dropout_prob", "hidden_dropout_prob", "classifier_dropout", "gradient_checkpointing", "drop_path_rate",
        // Classification heads.
        "summary_activation", "summary_first_dropout", "summary_proj_to_labels", "summary_type", "summary_use_proj",
        "num_labels", "_num_labels",
        // Sizes repeated under other families' names, and remains of GPT-1.
        "n_ctx", "max_sequence_length", "n_vocab", "n_special", "predict_special_tokens",
        // How the same sums are split over devices.
        "pretraining_tp",
        // How Python runs the model, and what it returns.
        "use_cache", "_attn_implementation", "_attn_implementation_autoset", "attn_implementation", "_flash_attn_2_enabled",
        "flash_attn", "use_flash_attn",
        "output_attentions", "output_hidden_states", "output_scores", "return_dict", "return_dict_in_generate",
        "torchscript", "use_bfloat16", "chunk_size_feed_forward", "keys_to_ignore_at_inference", "is_decoder",
        "output_past", "cache_implementation",
        // Token ids and settings of generation: read elsewhere, or from generation_config.json.
        "bos_token_id", "eos_token_id", "pad_token_id", "unk_token_id", "sep_token_id", "decoder_start_token_id",
        "forced_bos_token_id", "forced_eos_token_id", "max_length", "min_length", "do_sample", "early_stopping",
        "num_beams", "num_beam_groups", "diversity_penalty", "temperature", "top_k", "top_p", "typical_p",
        "repetition_penalty", "length_penalty", "no_repeat_ngram_size", "encoder_no_repeat_ngram_size", "bad_words_ids",
        "num_return_sequences", "remove_invalid_values", "exponential_decay_length_penalty", "suppress_tokens",
        "begin_suppress_tokens",
    ]);

    /// <summary>Whether the field is ignored.</summary>
    public static bool Contains(string name) => Names.Contains(name);

    /// <summary>Whether the field, which may change what the model computes, does not do so with this value.</summary>
    public static bool IsNeutral(string name, JsonElement value) => name switch
    {
        "is_encoder_decoder" or "add_cross_attention" or "tie_encoder_decoder" or "rope_interleaved" or "use_mrope"
            or "scale_attn_by_inverse_layer_idx" or "reorder_and_upcast_attn" or "use_bidirectional_attention" =>
            value.ValueKind == JsonValueKind.False,
        "scale_attn_weights" => value.ValueKind == JsonValueKind.True,
        "partial_rotary_factor" => value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var share) && share == 1,
        "layer_types" => value.ValueKind == JsonValueKind.Array
            && value.EnumerateArray().All(type => type.ValueKind == JsonValueKind.String && type.ValueEquals(WindowFields.Full)),
        "pruned_heads" => value.ValueKind == JsonValueKind.Object && !value.EnumerateObject().Any(),
        _ => false,
    };
}
