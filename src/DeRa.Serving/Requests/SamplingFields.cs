namespace DeRa.Serving.Requests;

/// <summary>
/// The numbers that decide how a token is chosen. One more is one more entry here, with its property in
/// <see cref="GenerationInput"/>.
/// </summary>
public static class SamplingFields
{
    /// <summary>Those that look at the likeliest tokens and at tokens that are there already, in the order of the reference.</summary>
    public static IReadOnlyList<NumberField> Main { get; } =
    [
        new("temperature", new NumberRange(0.01, 2) { Special = 0, Wording = "0 (greedy) or …" },
            "Divides the mixed logits; 0 always takes the likeliest token.")
        {
            DefaultNumber = context => context.Defaults.Temperature,
            Get = input => input.Temperature,
            Set = (input, value) => input with { Temperature = value },
            Apply = (sampling, value) => sampling with { Temperature = (float)value },
        },
        new("top_k", NumberRange.Whole(-1, int.MaxValue) with { IsOpen = true },
            "Samples from so many of the likeliest tokens; 0 and −1 are all.")
        {
            DefaultNumber = context => context.Defaults.TopK,
            Get = input => input.TopK,
            Set = (input, value) => input with { TopK = (int)value },
            Apply = (sampling, value) => sampling with { TopK = Math.Max(0, (int)value) },
        },
        new("top_p", new NumberRange(0, 1),
            "Samples from the likeliest tokens that make up this share of the probability; 1 is all, 0 the likeliest alone.")
        {
            DefaultNumber = context => context.Defaults.TopP,
            Get = input => input.TopP,
            Set = (input, value) => input with { TopP = value },
            // 0 is OpenAI's way of asking for the likeliest token alone, which any tiny share keeps.
            Apply = (sampling, value) => sampling with { TopP = (float)Math.Max(1e-9, value) },
        },
        new("min_p", new NumberRange(0, 1),
            "Samples from tokens of at least this share of the likeliest one's probability; 0 is all.")
        {
            DefaultNumber = context => context.Defaults.MinP,
            Get = input => input.MinP,
            Set = (input, value) => input with { MinP = value },
            Apply = (sampling, value) => sampling with { MinP = (float)value },
        },
        new("repetition_penalty", new NumberRange(0, 2) { ExcludesLow = true },
            "Divides the logits of tokens that are there already, prompt included; 1 changes nothing.")
        {
            DefaultNumber = context => context.Defaults.RepetitionPenalty,
            Get = input => input.RepetitionPenalty,
            Set = (input, value) => input with { RepetitionPenalty = value },
            // A logit divided by less could leave float32's range; this decides as firmly as anything below it.
            Apply = (sampling, value) => sampling with { RepetitionPenalty = (float)Math.Max(1e-9, value) },
        },
        new("frequency_penalty", new NumberRange(-2, 2),
            "Taken from a token's logit for each time that it was generated; 0 changes nothing.")
        {
            DefaultNumber = _ => 0,
            Get = input => input.FrequencyPenalty,
            Set = (input, value) => input with { FrequencyPenalty = value },
            Apply = (sampling, value) => sampling with { FrequencyPenalty = (float)value },
        },
        new("presence_penalty", new NumberRange(-2, 2), "Taken from the logit of a token that was generated; 0 changes nothing.")
        {
            DefaultNumber = _ => 0,
            Get = input => input.PresencePenalty,
            Set = (input, value) => input with { PresencePenalty = value },
            Apply = (sampling, value) => sampling with { PresencePenalty = (float)value },
        },
    ];

    /// <summary><c>min_tokens</c>.</summary>
    public static NumberField MinTokens { get; } = new("min_tokens", context => context.NewTokens(0),
        "No end of text, stop token or stop text counts before so many tokens.")
    {
        IsWhole = true,
        DefaultNumber = _ => 0,
        Get = input => input.MinTokens,
        Set = (input, value) => input with { MinTokens = (int)value },
        Apply = (sampling, value) => sampling with { MinTokens = (int)value },
    };

    /// <summary><c>typical_p</c>.</summary>
    public static NumberField TypicalP { get; } = new("typical_p", new NumberRange(0, 1) { ExcludesLow = true },
        "Samples from the tokens whose surprise is nearest to the expected one, up to this share of the probability; 1 is all.")
    {
        DefaultNumber = _ => 1,
        Get = input => input.TypicalP,
        Set = (input, value) => input with { TypicalP = value },
        // Less would be 0 as float32, and keeps no other tokens.
        Apply = (sampling, value) => sampling with { TypicalP = (float)Math.Max(1e-9, value) },
    };

    /// <summary>All of them.</summary>
    public static IReadOnlyList<NumberField> All { get; } = [.. Main, MinTokens, TypicalP];
}
