using System.Text.Json.Nodes;
using DeRa.Text.Chat;

namespace DeRa.Serving.Requests;

/// <summary>
/// What a client asked for, as its transport read it: nothing checked, null = not set. <see cref="RequestValidator"/>
/// turns it into <see cref="DeRa.Engine.Requests.GenerationRequest"/>s; ranges are those of <see cref="RequestFields"/>. Field names
/// in errors are the wire's (snake case).
/// </summary>
public sealed record GenerationInput
{
    /// <summary>The prompts; each gives <see cref="N"/> choices, at each strength of <see cref="AlignmentSweep"/>.</summary>
    public required IReadOnlyList<PromptInput> Prompts { get; init; }

    /// <summary>One of <see cref="ServedNames"/>; null and empty = the pair.</summary>
    public string? Model { get; init; }

    /// <summary>λ of the first aligned model, <c>alignment_strength</c>; null = what the model's name says, else 1.</summary>
    public double? AlignmentStrength { get; init; }

    /// <summary>The name by which the client sent <see cref="AlignmentStrength"/>, for errors.</summary>
    public string AlignmentStrengthField { get; init; } = "alignment_strength";

    /// <summary><c>alignment_strengths</c>: aligned model → λ; those not named have 0. Not with <see cref="AlignmentStrength"/>.</summary>
    public IReadOnlyDictionary<string, double>? NamedStrengths { get; init; }

    /// <summary><c>alignment_sweep</c>: <see cref="N"/> choices at each of these strengths. Not with the two above.</summary>
    public IReadOnlyList<double>? AlignmentSweep { get; init; }

    /// <summary><c>alignment_schedule</c>: λ of the first aligned model from token to token. Not with the three above.</summary>
    public ScheduleInput? AlignmentSchedule { get; init; }

    /// <summary><c>max_tokens</c>; −1 = as many as the context leaves.</summary>
    public int? MaxTokens { get; init; }

    /// <summary>The name by which the client sent <see cref="MaxTokens"/>, for errors.</summary>
    public string MaxTokensField { get; init; } = "max_tokens";

    /// <summary>Used where <see cref="MaxTokens"/> is not set; null = as many as the context leaves.</summary>
    public int? DefaultMaxTokens { get; init; }

    /// <summary><c>n</c>: choices a prompt.</summary>
    public int? N { get; init; }

    /// <summary><c>best_of</c>: so many are generated for each prompt, of which the <see cref="N"/> likeliest come back.</summary>
    public int? BestOf { get; init; }

    /// <summary>Whether the response is streamed.</summary>
    public bool Stream { get; init; }

    /// <summary><c>temperature</c>.</summary>
    public double? Temperature { get; init; }

    /// <summary><c>top_k</c>; 0 or −1 = all.</summary>
    public int? TopK { get; init; }

    /// <summary><c>top_p</c>.</summary>
    public double? TopP { get; init; }

    /// <summary><c>min_p</c>.</summary>
    public double? MinP { get; init; }

    /// <summary><c>repetition_penalty</c>.</summary>
    public double? RepetitionPenalty { get; init; }

    /// <summary><c>frequency_penalty</c>.</summary>
    public double? FrequencyPenalty { get; init; }

    /// <summary><c>presence_penalty</c>.</summary>
    public double? PresencePenalty { get; init; }

    /// <summary><c>logit_bias</c>: token id → bias.</summary>
    public IReadOnlyDictionary<int, double>? LogitBias { get; init; }

    /// <summary><c>typical_p</c>.</summary>
    public double? TypicalP { get; init; }

    /// <summary><c>allowed_token_ids</c>: no other token is sampled.</summary>
    public IReadOnlyList<int>? AllowedTokenIds { get; init; }

    /// <summary><c>bad_words</c>: texts that the output does not hold.</summary>
    public IReadOnlyList<string>? BadWords { get; init; }

    /// <summary><c>min_tokens</c>: no end of text, stop token or stop string counts before so many tokens.</summary>
    public int? MinTokens { get; init; }

    /// <summary><c>stop</c> strings; empty ones are none.</summary>
    public IReadOnlyList<string>? Stop { get; init; }

    /// <summary><c>stop_token_ids</c>: end the text, beside the end-of-sequence tokens.</summary>
    public IReadOnlyList<int>? StopTokenIds { get; init; }

    /// <summary><c>include_stop_str_in_output</c>: what ended the text is part of it.</summary>
    public bool IncludeStop { get; init; }

    /// <summary><c>ignore_eos</c>: end-of-sequence tokens do not end the text.</summary>
    public bool IgnoreEos { get; init; }

    /// <summary><c>seed</c>; null and −1 = a random one.</summary>
    public long? Seed { get; init; }

    /// <summary>Alternatives to report with each token (0 = the token's own log-probability only); null = none.</summary>
    public int? LogProbs { get; init; }

    /// <summary>The name that the transport gives <see cref="LogProbs"/>: <c>logprobs</c> or <c>top_logprobs</c>.</summary>
    public string LogProbsField { get; init; } = "logprobs";

    /// <summary><c>prompt_logprobs</c>: the same for the tokens of the prompts.</summary>
    public int? PromptLogProbs { get; init; }

    /// <summary><c>skip_special_tokens</c>: special tokens add nothing to the text.</summary>
    public bool SkipSpecialTokens { get; init; } = true;

    /// <summary>
    /// <c>add_special_tokens</c>: the tokenizer puts its special tokens (BOS) around texts; null = around a text prompt, not
    /// around what a chat template wrote, nor around what is read with <see cref="ParseSpecial"/>.
    /// </summary>
    public bool? AddSpecialTokens { get; init; }

    /// <summary><c>parse_special</c>: the text of a special token in a text prompt is that token. Not for conversations.</summary>
    public bool ParseSpecial { get; init; }

    /// <summary><c>truncate_prompt_tokens</c>: only the last so many tokens of a prompt count; −1 = those that the context holds.</summary>
    public int? TruncatePromptTokens { get; init; }

    /// <summary><c>priority</c>: of a client's requests lower ones leave the queue first.</summary>
    public int? Priority { get; init; }

    /// <summary><c>speculation</c>: tokens may be guessed ahead, which never changes them.</summary>
    public bool Speculation { get; init; } = true;

    /// <summary><c>cache_salt</c>: what was computed of prompts is shared only with requests of the same salt; null is one too.</summary>
    public string? CacheSalt { get; init; }

    /// <summary><c>timeout</c>: seconds that the request may take, waiting included.</summary>
    public double? TimeoutSeconds { get; init; }

    /// <summary><c>echo</c>: the prompt comes back before the completion; with <c>max_tokens</c> 0 it is only scored.</summary>
    public bool Echo { get; init; }

    /// <summary><c>rewards</c>: names of rewards that score the choices.</summary>
    public IReadOnlyList<string>? Rewards { get; init; }

    /// <summary><c>measures</c>: with how many likeliest tokens of each distribution (0 = without); null = no measures.</summary>
    public int? Measures { get; init; }

    /// <summary>
    /// The same with nothing between the mixture and its draws but a temperature, whatever the pair's generation_config.json asks for.
    /// </summary>
    public GenerationInput WithoutFilters() => this with { TopK = 0, TopP = 1, MinP = 0, RepetitionPenalty = 1 };
}

/// <summary>One prompt, in one of the forms that the endpoints take.</summary>
/// <param name="Field">Where it stands in the request, for errors: <c>prompt</c>, <c>prompt[3]</c>, <c>messages</c>.</param>
public abstract record PromptInput(string Field);

/// <summary>A text, encoded with the tokenizer's own special tokens (BOS) around it unless the request says otherwise.</summary>
/// <param name="Text">Any text.</param>
/// <param name="Field">Where it stands in the request.</param>
public sealed record TextPrompt(string Text, string Field = "prompt") : PromptInput(Field);

/// <summary>Token ids, taken as they are.</summary>
/// <param name="Tokens">At least one id in the vocabulary.</param>
/// <param name="Field">Where it stands in the request.</param>
public sealed record TokenPrompt(IReadOnlyList<int> Tokens, string Field = "prompt") : PromptInput(Field);

/// <summary>A conversation, rendered by the chat template.</summary>
/// <param name="Messages">At least one message.</param>
/// <param name="Field">Where it stands in the request.</param>
public sealed record ChatPrompt(IReadOnlyList<ChatMessage> Messages, string Field = "messages") : PromptInput(Field)
{
    /// <summary>Most entries of <see cref="Variables"/>.</summary>
    public const int MaxVariables = 64;

    /// <summary>Characters (UTF-16 units) of a variable's name at most.</summary>
    public const int MaxVariableCharacters = 256;

    /// <summary>
    /// <c>add_generation_prompt</c>: the text ends where a reply begins; null = yes, unless <see cref="ContinueFinalMessage"/>.
    /// </summary>
    public bool? AddGenerationPrompt { get; init; }

    /// <summary><c>continue_final_message</c>: the last message is left open, and the reply goes on with it.</summary>
    public bool ContinueFinalMessage { get; init; }

    /// <summary><c>chat_template_kwargs</c>: more variables for the model's template; the plain one reads none.</summary>
    public JsonObject? Variables { get; init; }

    /// <summary>Strengths of messages that carry one, in their order: the last holds where the request names none.</summary>
    public IReadOnlyList<MessageStrength> Strengths { get; init; } = [];

    /// <summary>For errors, what stands before these fields' names where they are not the request's own: <c>conversation.</c>.</summary>
    public string FieldPrefix { get; init; } = "";

    /// <summary>Checks how many variables there are, which transports do before they turn them into anything.</summary>
    /// <param name="field">The field that holds them, for errors.</param>
    /// <param name="count">How many there are.</param>
    /// <exception cref="InvalidRequestException">More than <see cref="MaxVariables"/>.</exception>
    public static void CheckVariableCount(string field, int count) => FieldCount.Check(field, count, MaxVariables, "entries");
}

/// <summary>λ of the first aligned model that a message carries, for the answer to it.</summary>
/// <param name="Field">Where it stands in the request, for errors.</param>
/// <param name="Strength">The strength; nothing checked.</param>
public readonly record struct MessageStrength(string Field, double Strength);
