using System.Text.Json.Nodes;
using DeRa.Engine.Scheduling;
using DeRa.Serving;
using DeRa.Serving.Requests;
using static DeRa.Server.Http.ApiReference.Schemas;

namespace DeRa.Server.Http.ApiReference;

/// <summary>
/// Describes every field of a request body. Ranges and defaults are those in force: configured limits, the models' capacity and
/// what their folders say about generating. Which fields an endpoint takes is for its reader's table to say.
/// </summary>
internal sealed class FieldCatalogue
{
    private readonly Dictionary<string, FieldDescription> _fields;

    /// <summary>Describes the fields for a pair.</summary>
    public FieldCatalogue(ServedPair pair)
    {
        var (limits, capacity, defaults) = (pair.Validator.Limits, pair.Engine.Limits, pair.Validator.Defaults);
        _fields = new[]
        {
            Mixture(pair.Names, limits), Length(limits, capacity), Sampling(limits, capacity, defaults), Masks(limits, capacity),
            Answer(limits), Prompts(limits, capacity), Scheduling(),
        }.SelectMany(fields => fields).ToDictionary(field => field.Name);
    }

    /// <summary>Describes the fields of a table, in its order.</summary>
    /// <param name="names">Their names.</param>
    /// <param name="own">Those that mean something of their own in one endpoint.</param>
    /// <exception cref="InvalidOperationException">A field is not described.</exception>
    public IReadOnlyList<FieldDescription> Describe(IEnumerable<string> names, IReadOnlyList<FieldDescription> own) =>
        [.. names.Select(name => own.FirstOrDefault(field => field.Name == name) ?? Copy(name))];

    /// <summary>A copy, since a JSON node may stand in one place only.</summary>
    private FieldDescription Copy(string name) => _fields.TryGetValue(name, out var field)
        ? field with { Schema = (JsonObject)field.Schema.DeepClone() }
        : throw new InvalidOperationException($"The field '{name}' has no description.");

    private static IEnumerable<FieldDescription> Mixture(ServedNames names, RequestLimits limits)
    {
        JsonObject Strength() => Number(limits.MinStrength, limits.MaxStrength);
        yield return new("model", AnyString().WithDefault(names.Pair),
            $"What to run: {string.Join(", ", names.All)}, or {names.Pair}@STRENGTH for tools that cannot send a strength.");
        yield return new("alignment_strength", Strength().WithDefault(1),
            $"λ of {names.Aligned[0]}: 0 is the reference model, 1 the aligned one, values between realign less, values above 1 more.");
        yield return new("lambda", Strength(), "Another name for alignment_strength.");
        yield return new("alignment_strengths", Object(names.Aligned.Select(name => (name, OrNull(Strength())))),
            "λ of each aligned model by its name; those left out weigh 0, but where all are, it is as if the field were not set. "
            + "Their sum has the same range. Not with alignment_strength.");
    }

    private static IEnumerable<FieldDescription> Length(RequestLimits limits, ExecutorLimits capacity)
    {
        yield return new("max_tokens", MaxTokens(1, capacity),
            "Most tokens to generate; with the prompt's at most what the context holds, which is the default and what −1 asks for.");
        yield return new("max_completion_tokens", MaxTokens(1, capacity), "Another name for max_tokens.");
        yield return new("n", Integer(1, limits.MaxChoices).WithDefault(1), "Choices for each prompt.");
        yield return new("best_of", Integer(1, limits.MaxBestOf),
            "So many are generated for each prompt, of which the n likeliest come back; at least n. Not with stream.");
        yield return new("stop", AnyOf(StopText(limits), List(StopText(limits), limits.MaxStopStrings)),
            "Texts that end the answer and are not part of it, names of special tokens too; lengths count UTF-8 bytes. Empty ones are none.");
        yield return new("include_stop_str_in_output", Flag().WithDefault(false), "What ended the text is part of it.");
        yield return new("stop_token_ids", List(Token(capacity), limits.MaxStopTokens),
            "Tokens that end the text, beside the end-of-sequence tokens.");
        yield return new("min_tokens", Integer(0, MostNew(capacity)).WithDefault(0),
            "No end of text, stop token or stop text counts before so many tokens.");
        yield return new("ignore_eos", Flag().WithDefault(false), "Goes on after an end-of-sequence token.");
    }

    /// <summary><c>max_tokens</c>: −1 for what the context leaves, as llama.cpp and LM Studio have it.</summary>
    /// <param name="least">1, or 0 where a prompt may be scored without generating.</param>
    /// <param name="capacity">What the models can take.</param>
    public static JsonObject MaxTokens(int least, ExecutorLimits capacity) =>
        AnyOf(One(RequestValidator.Unlimited), Integer(least, MostNew(capacity)));

    /// <summary>A prompt has at least one token.</summary>
    private static int MostNew(ExecutorLimits capacity) => capacity.ContextTokens - 1;

    private static JsonObject StopText(RequestLimits limits) => AnyString(maxLength: limits.MaxStopStringBytes);

    private static JsonObject Token(ExecutorLimits capacity) => Integer(0, capacity.VocabularySize - 1);

    private static IEnumerable<FieldDescription> Sampling(RequestLimits limits, ExecutorLimits capacity, GenerationDefaults defaults)
    {
        yield return new("temperature", AnyOf(One(0), Number(0.01, 2)).WithDefault(defaults.Temperature),
            "Divides the mixed logits; 0 always takes the likeliest token.");
        yield return new("top_k", Integer(-1, int.MaxValue).WithDefault(defaults.TopK),
            "Samples from so many of the likeliest tokens; 0 and −1 are all.");
        yield return new("top_p", Number(0, 1).WithDefault(defaults.TopP),
            "Samples from the likeliest tokens that make up this share of the probability; 1 is all, 0 the likeliest alone.");
        yield return new("min_p", Number(0, 1).WithDefault(defaults.MinP),
            "Samples from tokens of at least this share of the likeliest one's probability; 0 is all.");
        yield return new("typical_p", AboveZero(1).WithDefault(1),
            "Samples from the tokens whose surprise is nearest to the expected one, up to this share of the probability; 1 is all.");
        yield return new("repetition_penalty", AboveZero(2).WithDefault(defaults.RepetitionPenalty),
            "Divides the logits of tokens that are there already, prompt included; 1 changes nothing.");
        yield return new("frequency_penalty", Number(-2, 2).WithDefault(0),
            "Taken from a token's logit for each time that it was generated; 0 changes nothing.");
        yield return new("presence_penalty", Number(-2, 2).WithDefault(0),
            "Taken from the logit of a token that was generated; 0 changes nothing.");
        yield return new("logit_bias", LogitBias(limits),
            $"Token id → what is added to its logit. Ids run from 0 to {capacity.VocabularySize - 1}.");
        yield return new("seed", WithFormat(Integer(), "int64"),
            "The same seed gives the same tokens. Without one, and at −1, it is drawn; every answer tells it. Whole numbers of 64 bits.");
    }

    private static JsonObject AboveZero(double high) => new() { ["type"] = "number", ["exclusiveMinimum"] = 0, ["maximum"] = high };

    private static JsonObject LogitBias(RequestLimits limits)
    {
        var schema = Map(OrNull(Number(-100, 100)), limits.MaxLogitBiasEntries);
        schema["propertyNames"] = new JsonObject { ["pattern"] = "^[0-9]+$" };
        return schema;
    }

    private static JsonObject WithFormat(JsonObject schema, string format)
    {
        schema["format"] = format;
        return schema;
    }

    private static IEnumerable<FieldDescription> Masks(RequestLimits limits, ExecutorLimits capacity)
    {
        yield return new("allowed_token_ids", List(Token(capacity), limits.MaxAllowedTokens, 1), "No other token is sampled.");
        yield return new("bad_words", List(AnyString(1, limits.MaxStopStringBytes), limits.MaxBadWords),
            "Texts, not only blanks, that the output does not hold.");
    }

    private static IEnumerable<FieldDescription> Scheduling()
    {
        yield return new("priority", Integer(int.MinValue, int.MaxValue).WithDefault(0), "Lower ones leave the queue first.");
        yield return new("cache_salt", AnyString(1, 1024), "Prompts share cached prefixes with prompts of the same salt only.");
        yield return new("timeout", Number(0.001, 86400), "Seconds that the request may take, waiting included.");
    }

    private static IEnumerable<FieldDescription> Answer(RequestLimits limits)
    {
        yield return new("logprobs", AnyOf(Integer(0, limits.MaxLogprobs), One(false)),
            "Reports each token's log-probability in the mixture, and those of so many likeliest ones; false asks for none.");
        yield return new("top_logprobs", Integer(0, limits.MaxLogprobs),
            "So many likeliest tokens with each token; above 0 it needs logprobs.");
        yield return new("prompt_logprobs", Integer(0, limits.MaxLogprobs), "The same for the tokens of the prompts. Not with stream.");
        yield return new("return_tokens_as_token_ids", Flag().WithDefault(false), "Log-probabilities name tokens by id: token_id:17.");
        yield return new("skip_special_tokens", Flag().WithDefault(true), "Special tokens add nothing to the text.");
        yield return new("stream", Flag().WithDefault(false), "Answers with server-sent events, a chunk each, the last one [DONE].");
        yield return new("stream_options", Object([("include_usage", OrNull(Flag())), ("continuous_usage_stats", OrNull(Flag())),
            ("include_obfuscation", OrNull(Flag()))]),
            "include_usage: one more chunk, at the end, with the usage. continuous_usage_stats: it is in every chunk. Needs stream "
            + "where one of them is true.");
        yield return new("return_token_ids", Flag().WithDefault(false), "Reports the ids of the generated tokens, and of the prompt's.");
        yield return new("echo", Flag().WithDefault(false),
            "The prompt comes back before the completion; with max_tokens 0 it is only scored.");
    }

    private static IEnumerable<FieldDescription> Prompts(RequestLimits limits, ExecutorLimits capacity)
    {
        JsonObject Tokens(int? least) => List(Token(capacity), capacity.ContextTokens, least);
        yield return new("prompt", AnyOf(AnyString(), List(AnyString(), limits.MaxPrompts, 1), Tokens(1), List(Tokens(1), limits.MaxPrompts, 1)),
            "A text, a list of texts, a list of token ids, or a list of such lists.", IsRequired: true);
        yield return new("messages", List(Reference("Message"), least: 1), "The conversation, oldest message first.", IsRequired: true);
        yield return new("tokens", Tokens(null), "Token ids.", IsRequired: true);
        yield return new("add_special_tokens", Flag(),
            "Adds the tokenizer's special tokens (BOS): by default around a text, not around what the model's chat template wrote, "
            + "nor around a text with parse_special.");
        yield return new("parse_special", Flag().WithDefault(false),
            "Reads special tokens in a text, such as those of a chat that was laid out before; otherwise what spells one is letters.");
        yield return new("truncate_prompt_tokens", AnyOf(One(-1), Integer(1, capacity.ContextTokens)),
            "Only the last so many tokens of a prompt count; −1: those that the context leaves room for.");
        yield return new("add_generation_prompt", Flag().WithDefault(true), "Ends the conversation where the assistant's answer begins.");
        yield return new("continue_final_message", Flag().WithDefault(false), "Leaves the last message open.");
        yield return new("chat_template_kwargs", Map([], ChatPrompt.MaxVariables),
            $"More variables for the model's chat template, with names of up to {ChatPrompt.MaxVariableCharacters} characters.");
        yield return new("return_token_strs", Flag().WithDefault(false), "Reports how the vocabulary spells each token.");
    }
}
