namespace DeRa.Serving.Requests;

/// <summary>The table of request fields; <see cref="EndpointFields"/> says which of them each endpoint takes.</summary>
public static class RequestFields
{
    /// <summary><c>max_tokens</c> of completions where a request says nothing, as OpenAI has it.</summary>
    public const int DefaultCompletionTokens = 16;

    /// <summary><c>model</c>.</summary>
    public static RequestField Model { get; } = new("model", _ => new TextForm(), context => $"What to run: "
        + $"{string.Join(", ", context.Names.All)}, or {context.Names.Pair}@STRENGTH for tools that cannot send a strength.")
    {
        Default = context => context.Names.Pair,
        Reader = (source, field, input) => source.Text(field) is { } model ? input with { Model = model } : input,
    };

    /// <summary><c>alignment_strength</c>, or <c>lambda</c>.</summary>
    public static RequestField Strength { get; } = new("alignment_strength", context => context.Strengths, context =>
        $"λ of {context.Names.Aligned[0]}: 0 is the reference model, 1 the aligned one, values between realign less, values above 1 more.")
    {
        Synonym = "lambda",
        Default = _ => 1,
        Reader = (source, field, input) =>
            input with { AlignmentStrength = source.Number(field), AlignmentStrengthField = source.SentName(field) },
    };

    /// <summary><c>alignment_strengths</c>.</summary>
    public static RequestField NamedStrengths { get; } = new("alignment_strengths",
        context => new ObjectForm([.. context.Names.Aligned.Select(name => (name, (ValueForm)context.Strengths))]),
        "λ of each aligned model by its name; those left out weigh 0, but where all are, it is as if the field were not set. "
            + "Their sum has the same range. Not with alignment_strength.")
    {
        Reader = (source, field, input) => input with { NamedStrengths = source.NamedNumbers(field) },
    };

    /// <summary><c>max_tokens</c>, or <c>max_completion_tokens</c>.</summary>
    public static RequestField MaxTokens { get; } = new("max_tokens", context => NewTokens(context, least: 1),
        "Most tokens to generate; with the prompt's at most what the context holds, which is the default and what −1 asks for.")
    {
        Synonym = "max_completion_tokens",
        Reader = (source, field, input) => input with { MaxTokens = source.Whole(field), MaxTokensField = source.SentName(field) },
    };

    /// <summary><c>max_tokens</c> of completions.</summary>
    public static RequestField CompletionMaxTokens { get; } = MaxTokens with
    {
        Form = context => NewTokens(context, least: 0),
        Default = _ => DefaultCompletionTokens,
        Description = _ => "Most tokens to generate, 0 only with echo; with the prompt's at most what the context holds, which is what −1 "
            + "asks for.",
    };

    /// <summary><c>n</c>.</summary>
    public static NumberField N { get; } = new("n", context => NumberRange.Whole(1, context.Limits.MaxChoices), "Choices for each prompt.")
    {
        IsWhole = true,
        DefaultNumber = _ => 1,
        Get = input => input.N,
        Set = (input, value) => input with { N = (int)value },
    };

    /// <summary><c>best_of</c>.</summary>
    public static NumberField BestOf { get; } = new("best_of", context => NumberRange.Whole(1, context.Limits.MaxBestOf),
        "So many are generated for each prompt, of which the n likeliest come back; at least n. Not with stream.")
    {
        IsWhole = true,
        Get = input => input.BestOf,
        Set = (input, value) => input with { BestOf = (int)value },
    };

    /// <summary>What a token's logit may be changed by.</summary>
    public static NumberRange Bias { get; } = new(-100, 100);

    /// <summary><c>logit_bias</c>.</summary>
    public static RequestField LogitBias { get; } = new("logit_bias",
        context => new MapForm(Bias, context.Limits.MaxLogitBiasEntries, HasTokenIds: true),
        context => $"Token id → what is added to its logit. Ids run from 0 to {context.Tokens.High}.")
    {
        Reader = (source, field, input) => input with { LogitBias = source.TokenNumbers(field) },
    };

    /// <summary><c>stop</c>.</summary>
    public static RequestField Stop { get; } = new("stop", context => new AnyForm(
        StopText(context, null), new ListForm(StopText(context, null), context.Limits.MaxStopStrings)),
        "Texts that end the answer and are not part of it, names of special tokens too; lengths count UTF-8 bytes. Empty ones are none.")
    {
        TakesOneText = true,
        Reader = (source, field, input) => input with { Stop = source.Texts(field) },
    };

    /// <summary><c>seed</c>.</summary>
    public static RequestField Seed { get; } = new("seed", new LongForm(),
        "The same seed gives the same tokens. Without one, and at −1, it is drawn; every answer tells it. Whole numbers of 64 bits.")
    {
        Reader = (source, field, input) => input with { Seed = source.Whole64(field) },
    };

    /// <summary><c>logprobs</c> of completions.</summary>
    public static NumberField LogProbs { get; } = new("logprobs", context => context.Alternatives,
        "Reports each token's log-probability in the mixture, and those of so many likeliest ones; false asks for none.")
    {
        IsWhole = true,
        TakesFalse = true,
        Get = input => input.LogProbs,
        Set = (input, value) => input with { LogProbs = (int)value },
    };

    /// <summary><c>logprobs</c> of chats: whether there are any.</summary>
    public static RequestField ChatLogProbs { get; } = Flag("logprobs", "Reports each token's log-probability in the mixture.", false);

    /// <summary><c>top_logprobs</c> of chats: how many.</summary>
    public static RequestField TopLogProbs { get; } = new("top_logprobs", context => context.Alternatives,
        "So many likeliest tokens with each token; above 0 it needs logprobs.");

    /// <summary><c>prompt_logprobs</c>.</summary>
    public static NumberField PromptLogProbs { get; } = new("prompt_logprobs", context => context.Alternatives,
        "The same for the tokens of the prompts. Not with stream.")
    {
        IsWhole = true,
        Get = input => input.PromptLogProbs,
        Set = (input, value) => input with { PromptLogProbs = (int)value },
    };

    /// <summary><c>stream</c>.</summary>
    public static RequestField Stream { get; } = Flag("stream",
        "Answers with server-sent events, a chunk each, the last one [DONE].", false, (input, value) => input with { Stream = value });

    /// <summary>
    /// What <see cref="StreamOptions"/> may hold. Obfuscation is padding against an eavesdropper who measures lengths; its absence
    /// changes nothing about the response.
    /// </summary>
    public static IReadOnlyList<string> StreamOptionNames { get; } = ["include_usage", "continuous_usage_stats", "include_obfuscation"];

    /// <summary><c>stream_options</c>.</summary>
    public static RequestField StreamOptions { get; } = new("stream_options",
        new ObjectForm([.. StreamOptionNames.Select(name => (name, (ValueForm)new FlagForm()))]),
        "include_usage: one more chunk, at the end, with the usage. continuous_usage_stats: it is in every chunk. Needs stream "
            + "where one of them is true.");

    /// <summary><c>return_token_ids</c>.</summary>
    public static RequestField ReturnTokenIds { get; } =
        Flag("return_token_ids", "Reports the ids of the generated tokens, and of the prompt's.", false);

    /// <summary><c>return_tokens_as_token_ids</c>.</summary>
    public static RequestField ReturnTokensAsIds { get; } =
        Flag("return_tokens_as_token_ids", "Log-probabilities name tokens by id: token_id:17.", false);

    /// <summary><c>stop_token_ids</c>.</summary>
    public static RequestField StopTokenIds { get; } = new("stop_token_ids",
        context => new ListForm(context.Tokens, context.Limits.MaxStopTokens),
        "Tokens that end the text, beside the end-of-sequence tokens.")
    {
        Reader = (source, field, input) => input with { StopTokenIds = source.TokenIds(field) },
    };

    /// <summary><c>bad_words</c>.</summary>
    public static RequestField BadWords { get; } = new("bad_words",
        context => new ListForm(StopText(context, 1), context.Limits.MaxBadWords), "Texts, not only blanks, that the output does not hold.")
    {
        Reader = (source, field, input) => input with { BadWords = source.Texts(field) },
    };

    /// <summary><c>allowed_token_ids</c>.</summary>
    public static RequestField AllowedTokenIds { get; } = new("allowed_token_ids",
        context => new ListForm(context.Tokens, context.Limits.MaxAllowedTokens, 1), "No other token is sampled.")
    {
        Reader = (source, field, input) => input with { AllowedTokenIds = source.TokenIds(field) },
    };

    /// <summary><c>priority</c>.</summary>
    public static NumberField Priority { get; } = new("priority", NumberRange.Whole(int.MinValue, int.MaxValue),
        "Of a client's requests lower ones leave the queue first; a client is an API key, without keys a connection. Where the cache is "
            + "full, the highest go back into the queue first and keep their tokens.")
    {
        DefaultNumber = _ => 0,
        Get = input => input.Priority,
        Set = (input, value) => input with { Priority = (int)value },
    };

    /// <summary><c>speculation</c>.</summary>
    public static RequestField Speculation { get; } = Flag("speculation",
        "Whether tokens may be guessed ahead. It changes how fast they come, never which.", true,
        (input, value) => input with { Speculation = value });

    /// <summary>How long a <see cref="CacheSalt"/> may be.</summary>
    public static TextForm Salt { get; } = new(1, 1024);

    /// <summary><c>cache_salt</c>.</summary>
    public static RequestField CacheSalt { get; } = new("cache_salt", Salt,
        "What was computed of a prompt is shared only with requests of the same salt, and of the same API key where there are keys. Its "
            + "length counts UTF-8 bytes.")
    {
        Reader = (source, field, input) => input with { CacheSalt = source.Text(field) },
    };

    /// <summary><c>truncate_prompt_tokens</c>.</summary>
    public static NumberField TruncatePromptTokens { get; } = new("truncate_prompt_tokens",
        context => LeftByContext(NumberRange.Whole(1, context.Capacity.ContextTokens)),
        "Only the last so many tokens of a prompt count; −1: those that the context leaves room for.")
    {
        IsWhole = true,
        Get = input => input.TruncatePromptTokens,
        Set = (input, value) => input with { TruncatePromptTokens = (int)value },
    };

    /// <summary><c>timeout</c>.</summary>
    public static NumberField Timeout { get; } = new("timeout", new NumberRange(0.001, 86400),
        "Seconds that the request may take, waiting included.")
    {
        What = "'timeout', in seconds,",
        Get = input => input.TimeoutSeconds,
        Set = (input, value) => input with { TimeoutSeconds = value },
    };

    /// <summary><c>add_special_tokens</c>.</summary>
    public static RequestField AddSpecialTokens { get; } = Flag("add_special_tokens",
        "Adds the tokenizer's special tokens (BOS): by default around a text, not around what the model's chat template wrote, "
            + "nor around a text with parse_special.", null, (input, value) => input with { AddSpecialTokens = value });

    /// <summary><c>parse_special</c>.</summary>
    public static RequestField ParseSpecial { get; } = Flag("parse_special",
        "Reads special tokens in a text, such as those of a chat that was laid out before; otherwise what spells one is letters.", false,
        (input, value) => input with { ParseSpecial = value });

    /// <summary><c>prompt</c>.</summary>
    public static RequestField Prompt { get; } = new("prompt", Prompts,
        "A text, a list of texts, a list of token ids, or a list of such lists.")
    {
        IsRequired = true,
    };

    /// <summary><c>prompt</c> where it is one text.</summary>
    public static RequestField TextPrompt { get; } = new("prompt", new TextForm(), "The text.") { IsRequired = true };

    /// <summary><c>messages</c>.</summary>
    public static RequestField Messages { get; } =
        new("messages", new ListForm(new MessageForm(), Least: 1), "The conversation, oldest message first.") { IsRequired = true };

    /// <summary><c>add_generation_prompt</c>.</summary>
    public static RequestField AddGenerationPrompt { get; } =
        Flag("add_generation_prompt", "Ends the conversation where the assistant's answer begins.", true);

    /// <summary><c>continue_final_message</c>.</summary>
    public static RequestField ContinueFinalMessage { get; } = Flag("continue_final_message", "Leaves the last message open.", false);

    /// <summary><c>chat_template_kwargs</c>.</summary>
    public static RequestField ChatTemplateKwargs { get; } = new("chat_template_kwargs", new MapForm(null, ChatPrompt.MaxVariables),
        $"More variables for the model's chat template, with names of up to {ChatPrompt.MaxVariableCharacters} characters.");

    /// <summary><c>tokens</c>.</summary>
    public static RequestField Tokens { get; } =
        new("tokens", context => new ListForm(context.Tokens, context.Capacity.ContextTokens), "Token ids.") { IsRequired = true };

    /// <summary><c>return_token_strs</c>.</summary>
    public static RequestField ReturnTokenStrings { get; } =
        Flag("return_token_strs", "Reports how the vocabulary spells each token.", false);

    /// <summary><c>echo</c>.</summary>
    public static RequestField Echo { get; } = Flag("echo",
        "The prompt comes back before the completion; with max_tokens 0 it is only scored.", false,
        (input, value) => input with { Echo = value });

    /// <summary><c>ignore_eos</c>.</summary>
    public static RequestField IgnoreEos { get; } = Flag("ignore_eos", "Goes on after an end-of-sequence token.", false,
        (input, value) => input with { IgnoreEos = value });

    /// <summary><c>include_stop_str_in_output</c>.</summary>
    public static RequestField IncludeStop { get; } = Flag("include_stop_str_in_output", "What ended the text is part of it.", false,
        (input, value) => input with { IncludeStop = value }) with
    {
        GrpcName = "include_stop",
    };

    /// <summary><c>skip_special_tokens</c>.</summary>
    public static RequestField SkipSpecialTokens { get; } = Flag("skip_special_tokens", "Special tokens add nothing to the text.", true,
        (input, value) => input with { SkipSpecialTokens = value });

    internal static RequestField Flag(
        string name, string description, bool? byDefault, Func<GenerationInput, bool, GenerationInput>? set = null) =>
        new(name, new FlagForm(), description)
        {
            Default = byDefault is { } value ? _ => value : null,
            Reader = set is null ? null : (source, field, input) => source.Flag(field) is { } flag ? set(input, flag) : input,
        };

    /// <summary>−1 asks for what the context leaves, as clients of llama.cpp and LM Studio have it.</summary>
    private static NumberRange LeftByContext(NumberRange range) => range with
    {
        Special = RequestValidator.Unlimited,
        Wording = $"…, or {RequestValidator.Unlimited} for what the context leaves",
    };

    /// <summary>What <see cref="MaxTokens"/> takes.</summary>
    /// <param name="context">What is served.</param>
    /// <param name="least">1, or 0 where a prompt may be scored without generating.</param>
    internal static NumberRange NewTokens(FieldContext context, int least) => LeftByContext(context.NewTokens(least));

    private static TextForm StopText(FieldContext context, int? least) => new(least, context.Limits.MaxStopStringBytes);

    private static AnyForm Prompts(FieldContext context)
    {
        var tokens = new ListForm(context.Tokens, context.Capacity.ContextTokens, 1);
        var most = context.Limits.MaxPrompts;
        return new AnyForm(new TextForm(), new ListForm(new TextForm(), most, 1), tokens, new ListForm(tokens, most, 1));
    }
}
