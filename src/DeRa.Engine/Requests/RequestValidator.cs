using System.Security.Cryptography;
using System.Text;
using DeRa.Engine.Scheduling;
using DeRa.Engine.Text;

namespace DeRa.Engine.Requests;

/// <summary>
/// The one validator behind every door: checks each field against its range, encodes the prompts and fills in defaults.
/// Immutable; may be called from any thread.
/// </summary>
/// <param name="names">The names under which the pair is served.</param>
/// <param name="tokenizer">The pair's tokenizer.</param>
/// <param name="defaults">What holds where a request says nothing.</param>
/// <param name="limits">What a request may ask for.</param>
/// <param name="capacity">What the loaded models and their cache can take.</param>
public sealed class RequestValidator(
    ServedNames names, ITokenizer tokenizer, GenerationDefaults defaults, RequestLimits limits, ExecutorLimits capacity)
{
    private readonly StrengthFields _strengths = new(names, limits);
    private readonly PromptEncoder _prompts = new(tokenizer, defaults.ChatTemplate, capacity.VocabularySize);

    /// <summary>Checks and encodes a request.</summary>
    /// <exception cref="InvalidRequestException">A field is out of range; the exception names it and the range.</exception>
    public PreparedRequest Prepare(GenerationInput input)
    {
        var template = Template(input);
        var stops = StopStrings(input);
        var n = FieldRange.Between("n", input.N ?? 1, 1, limits.MaxChoices);
        var prompts = Prompts(input);
        var choices = prompts.SelectMany((tokens, p) => Enumerable.Range(0, n).Select(c => new PreparedChoice
        {
            Index = p * n + c,
            Request = template with
            {
                PromptTokens = tokens,
                MaxTokens = MaxTokens(input, tokens.Count),
                ChoiceIndex = c,
            },
            StopStrings = stops,
            Echo = input.Echo,
            ContinuesPrompt = input.Prompts[p] is not ChatPrompt,
        })).ToArray();
        CheckCacheHolds(choices, n > 1 ? "n" : input.MaxTokensField);
        return new PreparedRequest
        {
            Model = input.Model ?? names.Pair,
            Strengths = template.Strengths,
            Seed = template.Seed,
            Choices = choices,
            PromptTokens = prompts.Sum(tokens => tokens.Count),
        };
    }

    private GenerationRequest Template(GenerationInput input)
    {
        int? logProbs = input.LogProbs is { } wanted
            ? FieldRange.Between(input.LogProbsField, wanted, 0, limits.MaxLogProbs) : null;
        return new GenerationRequest
        {
            PromptTokens = [],
            MaxTokens = 0,
            Strengths = _strengths.Read(input),
            Seed = input.Seed ?? BitConverter.ToInt64(RandomNumberGenerator.GetBytes(sizeof(long))),
            Sampling = Sampling(input),
            StopTokens = input.IgnoreEos ? new HashSet<int>() : defaults.EndOfSequenceTokens,
            LogProbs = logProbs,
            PromptLogProbs = input.Echo ? logProbs : null,
        };
    }

    private SamplingParameters Sampling(GenerationInput input) => new()
    {
        Temperature = (float)FieldRange.Temperature(input.Temperature ?? defaults.Temperature),
        TopK = Math.Max(0, FieldRange.AtLeast("top_k", input.TopK ?? defaults.TopK, -1)),
        // 0 is OpenAI's way of asking for the likeliest token alone, which any tiny share keeps.
        TopP = (float)Math.Max(1e-9, FieldRange.Between("top_p", input.TopP ?? defaults.TopP, 0, 1)),
        MinP = (float)FieldRange.Between("min_p", input.MinP ?? defaults.MinP, 0, 1),
        // A logit divided by less could leave float32's range; this decides as firmly as anything below it.
        RepetitionPenalty = (float)Math.Max(1e-9, FieldRange.AboveUpTo(
            "repetition_penalty", input.RepetitionPenalty ?? defaults.RepetitionPenalty, 0, 2)),
        FrequencyPenalty = (float)FieldRange.Between("frequency_penalty", input.FrequencyPenalty ?? 0, -2, 2),
        PresencePenalty = (float)FieldRange.Between("presence_penalty", input.PresencePenalty ?? 0, -2, 2),
        LogitBias = LogitBias(input.LogitBias ?? new Dictionary<int, double>()),
    };

    private Dictionary<int, float> LogitBias(IReadOnlyDictionary<int, double> bias)
    {
        FieldRange.Count("logit_bias", bias.Count, limits.MaxLogitBiasEntries, "entries");
        foreach (var (token, value) in bias)
        {
            FieldRange.Between("logit_bias", token, 0, capacity.VocabularySize - 1);
            FieldRange.Between($"logit_bias[{token}]", value, -100, 100);
        }
        return bias.ToDictionary(entry => entry.Key, entry => (float)entry.Value);
    }

    private string[] StopStrings(GenerationInput input)
    {
        var stops = input.Stop ?? [];
        FieldRange.Count("stop", stops.Count, limits.MaxStopStrings, "strings");
        for (var i = 0; i < stops.Count; i++)
            if (Encoding.UTF8.GetByteCount(stops[i]) is var bytes && (bytes == 0 || bytes > limits.MaxStopStringBytes))
                throw new InvalidRequestException("stop",
                    $"'stop[{i}]' has {bytes} bytes; between 1 and {limits.MaxStopStringBytes} are allowed.");
        var isPlainChat = defaults.ChatTemplate is null && input.Prompts.Any(prompt => prompt is ChatPrompt);
        return [.. stops.Union(defaults.StopStrings).Union(isPlainChat ? PlainChatTemplate.StopStrings : [])];
    }

    private List<IReadOnlyList<int>> Prompts(GenerationInput input)
    {
        if (input.Prompts.Count == 0) throw new InvalidRequestException("prompt", "'prompt' holds no prompt; at least one is needed.");
        FieldRange.Count("prompt", input.Prompts.Count, limits.MaxPrompts, "prompts");
        var prompts = input.Prompts.Select(_prompts.Encode).ToList();
        for (var i = 0; i < prompts.Count; i++)
            if (prompts[i].Count > capacity.ContextTokens) throw TooLong(input.Prompts[i].Field, prompts[i].Count, 0);
        return prompts;
    }

    private int MaxTokens(GenerationInput input, int promptTokens)
    {
        var room = capacity.ContextTokens - promptTokens;
        if (input.MaxTokens is not { } asked)
            return room > 0 ? Math.Min(room, input.DefaultMaxTokens ?? room) : throw TooLong(input.MaxTokensField, promptTokens, 1);
        FieldRange.AtLeast(input.MaxTokensField, asked, input.Echo ? 0 : 1);
        return asked <= room ? asked : throw TooLong(input.MaxTokensField, promptTokens, asked);
    }

    private InvalidRequestException TooLong(string field, int promptTokens, int newTokens) => new(field,
        $"The context holds {capacity.ContextTokens} tokens; the prompt has {promptTokens}" +
        (newTokens > 0 ? $" and {newTokens} more were asked for." : "."), InvalidRequestException.ContextLengthExceeded);

    private void CheckCacheHolds(PreparedChoice[] choices, string field)
    {
        var tokens = choices.Sum(choice => (long)choice.Request.PromptTokens.Count + choice.Request.MaxTokens);
        var cacheTokens = (long)capacity.BlockCount * capacity.BlockTokens;
        if (tokens <= cacheTokens) return;
        throw new InvalidRequestException(field,
            $"All prompts and choices may need {tokens} tokens together; the server's cache holds {cacheTokens}.");
    }
}
