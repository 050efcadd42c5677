using System.Security.Cryptography;
using System.Text;
using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;
using DeRa.Text;
using DeRa.Text.Chat;

namespace DeRa.Serving.Requests;

/// <summary>
/// The one validator behind every endpoint: checks each field against its range, encodes the prompts and fills in defaults.
/// Immutable; may be called from any thread.
/// </summary>
/// <param name="tokenizer">The pair's tokenizer.</param>
/// <param name="context">What the ranges and defaults of fields depend on.</param>
public sealed class RequestValidator(ITokenizer tokenizer, FieldContext context)
{
    /// <summary><c>max_tokens</c> as clients of llama.cpp and LM Studio ask for as many as the context leaves.</summary>
    public const int Unlimited = -1;

    /// <summary><c>seed</c> as clients of vLLM and llama.cpp ask for a random one. Every other number is a seed, as in vLLM.</summary>
    public const long RandomSeed = -1;

    private readonly StrengthFields _strengths = new(context);
    private readonly TokenFields _tokens = new(tokenizer, context);
    private readonly PromptEncoder _prompts = new(tokenizer, context.Defaults.ChatTemplate, context.Capacity.VocabularySize);

    /// <summary>A validator.</summary>
    /// <param name="names">The names under which the pair is served.</param>
    /// <param name="tokenizer">The pair's tokenizer.</param>
    /// <param name="defaults">What holds where a request says nothing.</param>
    /// <param name="limits">What a request may ask for.</param>
    /// <param name="capacity">What the loaded models and their cache can take.</param>
    public RequestValidator(
        ServedNames names, ITokenizer tokenizer, GenerationDefaults defaults, RequestLimits limits, ExecutorLimits capacity)
        : this(tokenizer, new FieldContext(names, defaults, limits, capacity))
    {
    }

    /// <summary>Checks and encodes a request.</summary>
    /// <exception cref="InvalidRequestException">A field is out of range; the exception names it and the range.</exception>
    public PreparedRequest Prepare(GenerationInput input)
    {
        var n = (int)RequestFields.N.Checked(input, context)!.Value;
        var candidates = Candidates(input, n);
        var (mixtures, schedule) = _strengths.ReadAll(input);
        if (input.AlignmentSweep is not null) CheckSweep(input.Prompts.Count, mixtures.Count, candidates);
        var template = Template(input, mixtures[0], areRanked: candidates > n) with { Schedule = schedule };
        var weightFault = MeasureFields.WeightFault(template, input, context.Capacity.VocabularySize, areRanked: candidates > n);
        var stops = StopStrings(input);
        var prompts = Prompts(input);
        var places = prompts.SelectMany((_, p) => mixtures.SelectMany(mixture =>
            Enumerable.Range(0, candidates).Select(c => (Prompt: p, Mixture: mixture, Candidate: c))));
        var choices = places.Select((place, index) => new PreparedChoice
        {
            Index = index,
            Request = template with
            {
                PromptTokens = prompts[place.Prompt],
                MaxTokens = MaxTokens(input, prompts[place.Prompt].Count),
                Strengths = place.Mixture,
                ChoiceIndex = place.Candidate,
            },
            StopStrings = stops,
            NamedStopTokens = _tokens.NamedStopTokens(input),
            IncludesStop = input.IncludeStop,
            SkipsSpecialTokens = input.SkipSpecialTokens,
            Echo = input.Echo,
            EchoLogProbs = input.LogProbs,
            WeightFault = weightFault,
            ContinuesPrompt = input.Prompts[place.Prompt] is not ChatPrompt { ContinueFinalMessage: false },
        }).ToArray();
        CheckCacheHolds(choices, mixtures.Count > 1 ? RealignmentFields.Sweep.Name
            : candidates > n ? "best_of" : n > 1 ? "n" : input.MaxTokensField);
        return new PreparedRequest
        {
            Model = string.IsNullOrEmpty(input.Model) ? context.Names.Pair : input.Model,
            Strengths = template.Strengths,
            Sweep = input.AlignmentSweep,
            Schedule = schedule,
            Seed = template.Seed,
            Choices = choices,
            Candidates = candidates,
            Returned = n,
            LogProbs = input.LogProbs,
            PromptLogProbs = input.PromptLogProbs,
            Deadline = context.Deadline(input.TimeoutSeconds),
            Rewards = RewardFields.Checked(input, context),
            Beta = context.Defaults.Beta ?? 1,
            PromptTokens = prompts.Sum(tokens => tokens.Count),
        };
    }

    /// <summary>What the ranges and defaults of fields depend on.</summary>
    public FieldContext Context => context;

    /// <summary>What a request may ask for.</summary>
    public RequestLimits Limits => context.Limits;

    /// <summary>What holds where a request says nothing.</summary>
    public GenerationDefaults Defaults => context.Defaults;

    /// <summary>Checks the name of a model, with the strength that it may hold.</summary>
    /// <param name="model">One of the served names; null = the pair.</param>
    /// <exception cref="InvalidRequestException">Nothing is served under that name, or the strength is out of range.</exception>
    public void CheckModel(string? model) => _strengths.OfModel(model);

    /// <summary>The tokens of a prompt, as a request would run them. They may be more than the context holds, and none.</summary>
    /// <param name="model">One of the served names; null = the pair.</param>
    /// <param name="prompt">A text, or a conversation that the chat template renders.</param>
    /// <param name="addSpecialTokens">Whether the tokenizer adds its special tokens; null = as the prompt's kind has it.</param>
    /// <param name="parseSpecial">Whether special tokens are read in a text.</param>
    /// <exception cref="InvalidRequestException">The model is not served, or the prompt cannot be rendered.</exception>
    public IReadOnlyList<int> Tokenize(string? model, PromptInput prompt, bool? addSpecialTokens = null, bool parseSpecial = false)
    {
        CheckModel(model);
        return _prompts.Tokenize(prompt, addSpecialTokens, parseSpecial);
    }

    /// <summary>The text of tokens.</summary>
    /// <param name="model">One of the served names; null = the pair.</param>
    /// <param name="tokens">At most as many as the context holds, each in the vocabulary.</param>
    /// <param name="field">Where they stand in the request, for errors.</param>
    /// <param name="skipSpecialTokens">Leaves special tokens out of the text.</param>
    /// <exception cref="InvalidRequestException">
    /// The model is not served, an id is outside the vocabulary, or there are too many.
    /// </exception>
    public string Detokenize(string? model, IReadOnlyList<int> tokens, string field, bool skipSpecialTokens = true)
    {
        CheckModel(model);
        FieldCount.Check(field, tokens.Count, context.Capacity.ContextTokens, "tokens");
        TokenFields.CheckIds(field, tokens, context.Tokens);
        return tokenizer.Decode(tokens, skipSpecialTokens);
    }

    /// <summary>Checks strengths that a request which runs already is to go on with: given as in a request, and required.</summary>
    /// <param name="first">The first aligned model's strength; null = not given.</param>
    /// <param name="named">Strengths by aligned model; null = not given.</param>
    /// <param name="field">The name by which the client sent <paramref name="first"/>, for errors; null = its own.</param>
    /// <exception cref="InvalidRequestException">None or both are given, a name is unknown, or one is out of range.</exception>
    public AlignmentStrengths PrepareStrengths(double? first, IReadOnlyDictionary<string, double>? named, string? field = null) =>
        first is null && named is null
            ? throw new InvalidRequestException("alignment_strength", "'alignment_strength' or 'alignment_strengths' is needed.")
            : _strengths.Sent(first, field ?? RequestFields.Strength.Name, named)!;

    private int Candidates(GenerationInput input, int n)
    {
        if (input.BestOf is not { } candidates) return n;
        var range = RequestFields.BestOf.Range(context);
        (range with { Low = n, High = Math.Max(n, range.High) }).Check("best_of", candidates);
        return candidates == n || !input.Stream ? candidates
            : throw new InvalidRequestException("best_of",
                "'best_of' beyond 'n' does not work with a stream: which are best is known at the end.");
    }

    private void CheckSweep(int prompts, int strengths, int candidates)
    {
        var choices = (long)prompts * strengths * candidates;
        if (choices <= context.Limits.MaxChoices) return;
        var field = RealignmentFields.Sweep.Name;
        throw new InvalidRequestException(field,
            $"'{field}' has {strengths} strengths, which with {prompts} prompts and {candidates} choices for each make {choices} choices; "
            + $"at most {context.Limits.MaxChoices} are allowed.");
    }

    private GenerationRequest Template(GenerationInput input, AlignmentStrengths strengths, bool areRanked)
    {
        CheckSalt(input.CacheSalt);
        int? logProbs = input.LogProbs is { } wanted ? context.Alternatives.Check(input.LogProbsField, wanted) : null;
        var ofPrompt = PromptLogProbs(input);
        return new GenerationRequest
        {
            PromptTokens = [],
            MaxTokens = 0,
            Strengths = strengths,
            Seed = input.Seed is { } seed and not RandomSeed ? seed : DrawSeed(),
            Sampling = Sampling(input),
            StopTokens = _tokens.StopTokens(input),
            LogProbs = logProbs ?? (areRanked ? 0 : null),
            PromptLogProbs = input.Echo && (ofPrompt is null || logProbs > ofPrompt) ? logProbs : ofPrompt,
            Priority = (int)RequestFields.Priority.Checked(input, context)!.Value,
            Speculation = input.Speculation,
            Measures = MeasureFields.Checked(input, context),
            CacheSalt = input.CacheSalt,
        };
    }

    /// <summary>A random seed from 0 to 2^53 − 1: clients whose numbers are doubles can send it back as they got it.</summary>
    private static long DrawSeed() => (long)(BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong))) >> 11);

    private int? PromptLogProbs(GenerationInput input)
    {
        if (RequestFields.PromptLogProbs.Checked(input, context) is not { } wanted) return null;
        return !input.Stream ? (int)wanted
            : throw new InvalidRequestException("prompt_logprobs", "'prompt_logprobs' does not work with a stream.");
    }

    private static void CheckSalt(string? salt)
    {
        var (least, most) = RequestFields.Salt;
        if (salt is null || (Encoding.UTF8.GetByteCount(salt) is var bytes && bytes >= least && bytes <= most)) return;
        throw new InvalidRequestException("cache_salt", $"'cache_salt' must have {least} to {most} bytes.");
    }

    private SamplingParameters Sampling(GenerationInput input)
    {
        var sampling = new SamplingParameters();
        foreach (var field in SamplingFields.All)
            if (field.Checked(input, context) is { } value) sampling = field.Apply!(sampling, value);
        return sampling with
        {
            LogitBias = LogitBias(input.LogitBias ?? new Dictionary<int, double>()),
            AllowedTokens = _tokens.Allowed(input),
            BadWords = _tokens.BadWords(input),
            EndTokens = _tokens.EndTokens(input),
        };
    }

    private Dictionary<int, float> LogitBias(IReadOnlyDictionary<int, double> bias)
    {
        FieldCount.Check("logit_bias", bias.Count, context.Limits.MaxLogitBiasEntries, "entries");
        foreach (var (token, value) in bias)
        {
            context.Tokens.Check("logit_bias", token, "a token id of 'logit_bias'");
            RequestFields.Bias.Check($"logit_bias[{token}]", value);
        }
        return bias.ToDictionary(entry => entry.Key, entry => (float)entry.Value);
    }

    private string[] StopStrings(GenerationInput input)
    {
        var stops = input.Stop ?? [];
        FieldCount.Check("stop", stops.Count, context.Limits.MaxStopStrings, "strings");
        for (var i = 0; i < stops.Count; i++)
            if (Encoding.UTF8.GetByteCount(stops[i]) is var bytes && bytes > context.Limits.MaxStopStringBytes)
                throw new InvalidRequestException("stop",
                    $"'stop[{i}]' has {bytes} bytes; at most {context.Limits.MaxStopStringBytes} are allowed.");
        var isPlainChat = context.Defaults.ChatTemplate is null && input.Prompts.Any(prompt => prompt is ChatPrompt);
        return [.. stops.Where(stop => stop.Length > 0).Union(context.Defaults.StopStrings)
            .Union(isPlainChat ? PlainChatTemplate.StopStrings : [])];
    }

    private List<IReadOnlyList<int>> Prompts(GenerationInput input)
    {
        if (input.Prompts.Count == 0) throw new InvalidRequestException("prompt", "'prompt' holds no prompt; at least one is needed.");
        FieldCount.Check("prompt", input.Prompts.Count, context.Limits.MaxPrompts, "prompts");
        var prompts = input.Prompts.Select(prompt => Truncated(
            input, _prompts.Encode(prompt, input.AddSpecialTokens, input.ParseSpecial))).ToList();
        for (var i = 0; i < prompts.Count; i++)
            if (prompts[i].Count > context.Capacity.ContextTokens) throw TooLong(input.Prompts[i].Field, prompts[i].Count, 0);
        return prompts;
    }

    /// <summary>The prompt's end, where only so much of it is wanted.</summary>
    private IReadOnlyList<int> Truncated(GenerationInput input, IReadOnlyList<int> tokens)
    {
        if (RequestFields.TruncatePromptTokens.Checked(input, context) is not { } asked) return tokens;
        var most = asked == Unlimited ? Math.Max(1, context.Capacity.ContextTokens - RoomWanted(input)) : (int)asked;
        return tokens.Count <= most ? tokens : [.. tokens.Skip(tokens.Count - most)];
    }

    /// <summary>What a prompt that is truncated to fit leaves for new tokens.</summary>
    private static int RoomWanted(GenerationInput input) =>
        input.MaxTokens is Unlimited ? 1 : Math.Max(0, input.MaxTokens ?? input.DefaultMaxTokens ?? 1);

    private int MaxTokens(GenerationInput input, int promptTokens)
    {
        var most = MostTokens(input, promptTokens);
        if (input.MinTokens > most)
            throw new InvalidRequestException("min_tokens",
                $"'min_tokens' is {input.MinTokens}; it must be between 0 and what may be generated at most, {most}.");
        return most;
    }

    private int MostTokens(GenerationInput input, int promptTokens)
    {
        var room = context.Capacity.ContextTokens - promptTokens;
        if (input.MaxTokens is not { } asked || asked == Unlimited)
            return room > 0 ? Math.Min(room, (input.MaxTokens is null ? input.DefaultMaxTokens : null) ?? room)
                : throw TooLong(input.MaxTokensField, promptTokens, 1);
        RequestFields.NewTokens(context, least: input.Echo ? 0 : 1).Check(input.MaxTokensField, asked);
        return asked <= room ? asked : throw TooLong(input.MaxTokensField, promptTokens, asked);
    }

    private InvalidRequestException TooLong(string field, int promptTokens, int newTokens) => new(field,
        $"The context holds {context.Capacity.ContextTokens} tokens; the prompt has {promptTokens}" +
        (newTokens > 0 ? $" and {newTokens} more were asked for." : "."), InvalidRequestException.ContextLengthExceeded);

    private void CheckCacheHolds(PreparedChoice[] choices, string field)
    {
        var tokens = choices.Sum(choice => (long)choice.Request.PromptTokens.Count + choice.Request.MaxTokens);
        var cacheTokens = (long)context.Capacity.BlockCount * context.Capacity.BlockTokens;
        if (tokens <= cacheTokens) return;
        throw new InvalidRequestException(field,
            $"All prompts and choices may need {tokens} tokens together; the server's cache holds {cacheTokens}.");
    }
}
