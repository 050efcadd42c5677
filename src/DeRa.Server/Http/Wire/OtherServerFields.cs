namespace DeRa.Server.Http.Wire;

/// <summary>
/// Fields of other servers that clients written for those send by habit. However near they lie to one of ours, they are no
/// misspelling of it: they are ignored and listed, as unknown fields are. None is about the alignment strength.
/// </summary>
internal static class OtherServerFields
{
    private const string LlamaCpp = """
        adaptive_decay adaptive_target backend_sampling cache_prompt chat_format dry_allowed_length dry_base dry_multiplier
        dry_penalty_last_n dry_sequence_breakers dynatemp_exponent dynatemp_range grammar grammar_lazy id_slot image_data json_schema
        lora min_keep mirostat mirostat_eta mirostat_tau n_cmpl n_discard n_indent n_keep n_predict n_probs parse_tool_calls
        penalize_nl post_sampling_probs reasoning_format reasoning_in_content repeat_last_n repeat_penalty response_fields
        return_progress return_tokens samplers slot_id system_prompt t_max_predict_ms tfs_z thinking_forced_open timings_per_token
        top_n_sigma typ_p xtc_probability xtc_threshold
        """;

    private const string Ollama = """
        context format images keep_alive low_vram num_batch num_ctx num_gpu num_keep num_predict num_thread numa options raw system
        template think use_mlock use_mmap
        """;

    /// <summary>text-generation-webui, and the front ends that write for it, KoboldCpp, TabbyAPI and Aphrodite.</summary>
    private const string WebInterfaces = """
        add_bos_token api_server api_type auto_max_new_tokens ban_eos_token banned_strings banned_tokens bot_name bypass_eos cfg_scale
        character chat_instruct_command chat_template_str continue_ custom_token_bans do_sample dynamic_temperature dynatemp_high
        dynatemp_low early_stopping encoder_repetition_penalty epsilon_cutoff eta_cutoff genkey grammar_string greeting
        guidance_scale history impersonate instruction_template instruction_template_str legacy_api max_context_length max_length
        max_new_tokens max_temp max_tokens_second memory min_length min_temp mirostat_mode mode name1 name2 negative_prompt
        no_repeat_ngram_size nsigma num_beams penalty_alpha preset prompt_lookup_num_tokens quiet regenerate rep_pen rep_pen_decay
        rep_pen_range rep_pen_slope repetition_decay repetition_penalty_range sampler_order sampler_priority sampler_seed singleline
        skew smoothing_curve smoothing_factor speculative_ngram stop_sequence stopping_strings temp temperature_last tfs
        token_healing top_a trim_stop truncation_length type typical use_default_badwordsids user_bio user_name
        """;

    /// <summary>vLLM, SGLang and text-generation-inference.</summary>
    private const string Engines = """
        adapter_id bootstrap_host bootstrap_port bootstrap_room custom_labels custom_logit_processor custom_params
        data_parallel_rank decoder_input_details details detokenize disagg_prefill_dp_rank ebnf extra_args extra_key
        guided_decoding_backend guided_whitespace_pattern images_config include_reasoning input_ids inputs logprob_token_ids
        lora_path lora_request media_io_kwargs mm_processor_kwargs ngram_corpus_id no_stop_trim output_kind parameters
        prompt_adapter prompt_logprob_start prompt_logprob_token_ids regex repetition_detection return_cached_tokens_details
        return_full_text return_hidden_states return_logprob return_routed_experts rid routed_dp_rank routed_experts_start_len
        sampling_params separate_reasoning session_id session_params skip_reading_prefix_cache stop_regex stop_sequences
        stream_interval stream_reasoning structural_tag thinking_token_budget top_n_tokens truncate truncation_side vllm_xargs
        watermark
        """;

    /// <summary>Routers, hosted services and the libraries and front ends that talk to them.</summary>
    private const string Services = """
        allowed_openai_params api_base api_key api_version background background_tasks base_url betas cache cache_control caching
        callbacks chat_id citation_options compliance context_length_exceeded_behavior conversation custom_llm_provider
        data_sources dataSources debug deferred deployment_id disable_tool_validation draft_model drop_params enable_search
        enable_thinking enhancements exclude_domains extra_body extra_headers extra_query fallbacks features files filter_ids
        force_timeout function_calling generation_config guardrails id image_config include include_domains incremental_output
        input instructions k litellm_metadata litellm_params litellm_session_id litellm_trace_id max_output_tokens max_retries
        max_tokens_to_sample merge_reasoning_content_in_choices mirostat_lr mirostat_target mock_response model_item
        model_kwargs model_name models no-log num_retries nvext organization p parent_id perf_metrics_in_response plugins
        prefix previous_response_id prompt_mode prompt_truncate_len provider random_seed raw_output reasoning request_timeout
        result_format return_citations return_images return_related_questions route safe_mode safe_prompt safety_model
        search_domain_filter search_mode search_parameters search_recency_filter search_settings skill_ids
        stream_timeout streaming tags text thinking thinking_budget title tool_ids tool_servers trace transforms
        truncation ttl usage variables verbose
        """;

    /// <summary>Their names.</summary>
    public static IReadOnlySet<string> Names { get; } = new[] { LlamaCpp, Ollama, WebInterfaces, Engines, Services }
        .SelectMany(names => names.Split([' ', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries)).ToHashSet(StringComparer.Ordinal);
}
