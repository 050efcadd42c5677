using System.Globalization;
using System.Text.Json;
using DeRa.Serving.Requests;

namespace DeRa.Server.Http.Wire;

/// <summary>The fields that both endpoints share.</summary>
internal static class CommonFields
{
    /// <summary>The names of those that say how much of which model is mixed in.</summary>
    public static IReadOnlyList<string> Strengths { get; } = ["alignment_strength", "alignment_strengths", "lambda"];

    /// <summary>Their names.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        "model", .. Strengths, "max_tokens", "max_completion_tokens", "n", "temperature", "top_k", "top_p", "min_p",
        "repetition_penalty", "frequency_penalty", "presence_penalty", "logit_bias", "stop", "ignore_eos", "seed", "logprobs",
        "stream", "stream_options", "return_token_ids", "return_tokens_as_token_ids", "prompt_logprobs", "stop_token_ids",
        "include_stop_str_in_output", "min_tokens", "bad_words", "allowed_token_ids", "typical_p", "priority", "cache_salt",
        "skip_special_tokens", "add_special_tokens", "truncate_prompt_tokens", "timeout",
    ];

    /// <summary>Reads them all, but for the log-probabilities, whose form differs.</summary>
    /// <exception cref="InvalidRequestException">A field of the wrong type, or two that contradict each other.</exception>
    public static GenerationInput Read(RequestFields fields, IReadOnlyList<PromptInput> prompts) => new()
    {
        Prompts = prompts,
        Model = fields.Text("model"),
        AlignmentStrength = Either(fields.Number("alignment_strength"), fields.Number("lambda"), "alignment_strength", "lambda"),
        AlignmentStrengthField = Sent(fields, "lambda", "alignment_strength"),
        NamedStrengths = NamedStrengths(fields.Value("alignment_strengths")),
        MaxTokens = Either(fields.Integer("max_tokens"), fields.Integer("max_completion_tokens"), "max_tokens", "max_completion_tokens"),
        MaxTokensField = Sent(fields, "max_completion_tokens", "max_tokens"),
        N = fields.Integer("n"),
        Temperature = fields.Number("temperature"),
        TopK = fields.Integer("top_k"),
        TopP = fields.Number("top_p"),
        MinP = fields.Number("min_p"),
        RepetitionPenalty = fields.Number("repetition_penalty"),
        FrequencyPenalty = fields.Number("frequency_penalty"),
        PresencePenalty = fields.Number("presence_penalty"),
        LogitBias = LogitBias(fields.Value("logit_bias")),
        Stop = Stop(fields.Value("stop")),
        IgnoreEos = fields.Flag("ignore_eos"),
        Seed = fields.Long("seed"),
        Stream = fields.Flag("stream"),
        PromptLogProbs = fields.Integer("prompt_logprobs"),
        StopTokenIds = fields.TokenIds("stop_token_ids"),
        IncludeStop = fields.Flag("include_stop_str_in_output"),
        MinTokens = fields.Integer("min_tokens"),
        BadWords = fields.Texts("bad_words"),
        AllowedTokenIds = fields.TokenIds("allowed_token_ids"),
        TypicalP = fields.Number("typical_p"),
        Priority = fields.Integer("priority"),
        CacheSalt = fields.Text("cache_salt"),
        SkipSpecialTokens = fields.Truth("skip_special_tokens") ?? true,
        AddSpecialTokens = fields.Truth("add_special_tokens"),
        TruncatePromptTokens = fields.Integer("truncate_prompt_tokens"),
        TimeoutSeconds = fields.Number("timeout"),
    };

    /// <summary>Reads how to answer.</summary>
    /// <exception cref="InvalidRequestException">A field of the wrong type, or stream options without a stream.</exception>
    public static ResponseOptions ReadAnswer(RequestFields fields, bool logProbs)
    {
        var stream = fields.Flag("stream");
        var options = StreamOptions(fields.Value("stream_options"), stream);
        return new ResponseOptions
        {
            Stream = stream,
            IncludeUsage = options.Contains("include_usage"),
            // Without include_usage it asks for nothing, as in vLLM.
            ContinuousUsage = options.IsSupersetOf(["include_usage", "continuous_usage_stats"]),
            TokensAsIds = fields.Flag("return_tokens_as_token_ids"),
            TokenIds = fields.Flag("return_token_ids"),
            LogProbs = logProbs,
            PromptLogProbs = fields.Integer("prompt_logprobs"),
        };
    }

    private static T? Either<T>(T? first, T? second, string firstName, string secondName) where T : struct
    {
        if (first is { } one && second is { } other && !one.Equals(other))
            throw new InvalidRequestException(firstName, string.Create(CultureInfo.InvariantCulture,
                $"'{firstName}' is {one} and '{secondName}' is {other}: they mean the same; send one of them."));
        return first ?? second;
    }

    /// <summary>Which of two names for the same the client used.</summary>
    private static string Sent(RequestFields fields, string synonym, string name) =>
        fields.Value(synonym) is not null && fields.Value(name) is null ? synonym : name;

    /// <summary>The stream's options that are true.</summary>
    private static HashSet<string> StreamOptions(JsonElement? value, bool stream)
    {
        if (value is not { } options) return [];
        if (options.ValueKind != JsonValueKind.Object) throw RequestFields.Wrong("stream_options", "an object");
        HashSet<string> asked = [.. options.EnumerateObject().Select(option => (Name: FieldText.Name(option), option.Value))
            .Where(option => StreamOption(option.Name, option.Value)).Select(option => option.Name)];
        return stream || asked.Count == 0 ? asked
            : throw new InvalidRequestException("stream_options", "'stream_options' needs 'stream': true.");
    }

    /// <summary>Whether the option is true.</summary>
    private static bool StreamOption(string name, JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Null) return false;
        var field = $"stream_options.{name}";
        // Obfuscation is padding against an eavesdropper who measures lengths; its absence changes nothing about the answer.
        if (name is not ("include_usage" or "continuous_usage_stats" or "include_obfuscation"))
            throw new InvalidRequestException(field, $"'{field}' does not work here; 'stream_options.include_usage' does.");
        return value.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => throw RequestFields.Wrong(field, "true or false"),
        };
    }

    private static Dictionary<string, double>? NamedStrengths(JsonElement? strengths)
    {
        const string field = "alignment_strengths";
        if (strengths is not { } entries) return null;
        if (entries.ValueKind != JsonValueKind.Object) throw RequestFields.Wrong(field, "an object of aligned models' names and numbers");
        var read = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var entry in entries.EnumerateObject())
        {
            var name = FieldText.Name(entry);
            if (entry.Value.ValueKind == JsonValueKind.Null) continue;
            if (entry.Value.ValueKind != JsonValueKind.Number) throw RequestFields.Wrong($"{field}.{name}", "a number");
            read[name] = entry.Value.GetDouble();
        }
        // As in gRPC, where a map that is empty is one that is not set.
        return read.Count > 0 ? read : null;
    }

    private static List<string>? Stop(JsonElement? stop) => stop switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } one => [FieldText.Of(one, "stop")],
        { ValueKind: JsonValueKind.Array } list => [.. list.EnumerateArray().Select((text, i) => FieldText.Of(text, $"stop[{i}]"))],
        _ => throw RequestFields.Wrong("stop", "a string or a list of strings"),
    };

    private static Dictionary<int, double>? LogitBias(JsonElement? bias)
    {
        if (bias is not { } entries) return null;
        if (entries.ValueKind != JsonValueKind.Object) throw RequestFields.Wrong("logit_bias", "an object of token ids and numbers");
        var read = new Dictionary<int, double>();
        foreach (var entry in entries.EnumerateObject())
        {
            var name = FieldText.Name(entry);
            if (entry.Value.ValueKind == JsonValueKind.Null) continue;
            if (!int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var token))
                throw new InvalidRequestException("logit_bias", $"'logit_bias' holds '{name}', which is no token id.");
            if (entry.Value.ValueKind != JsonValueKind.Number) throw RequestFields.Wrong($"logit_bias[{token}]", "a number");
            if (!read.TryAdd(token, entry.Value.GetDouble()))
                throw new InvalidRequestException("logit_bias", $"'logit_bias' names the token {token} twice.");
        }
        return read;
    }
}
