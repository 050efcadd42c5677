using DeRa.Engine.Scheduling;
using DeRa.Serving.Requests;
using DeRa.Testing;
using DeRa.Text.Chat;
using Xunit;

namespace DeRa.Serving.Tests.Requests;

public class RequestValidatorTests
{
    private static readonly RequestValidator Validator =
        new(new ServedNames("pair", ["helpful", "concise"]), new ByteTokenizer(), new GenerationDefaults
        {
            EndOfSequenceTokens = new HashSet<int> { ByteTokenizer.Eos },
            Temperature = 0.7,
            TopK = 50,
        }, new RequestLimits(), new ExecutorLimits(258, ContextTokens: 64, BlockTokens: 8, BlockCount: 32));

    private static GenerationInput Input(string prompt = "hello") => new() { Prompts = [new TextPrompt(prompt)], MaxTokens = 8 };

    public static TheoryData<string, GenerationInput> Refused => new()
    {
        { "alignment_strength", Input() with { AlignmentStrength = double.NaN } },
        { "alignment_strength", Input() with { AlignmentStrength = double.PositiveInfinity } },
        { "alignment_strength", Input() with { AlignmentStrength = -1.01 } },
        { "alignment_strength", Input() with { AlignmentStrength = 10.01 } },
        { "max_tokens", Input() with { MaxTokens = -2 } },
        { "max_tokens", Input() with { MaxTokens = 0 } },
        { "max_tokens", Input() with { MaxTokens = 59 } },
        { "max_tokens", Input() with { Echo = true, MaxTokens = -2 } },
        { "temperature", Input() with { Temperature = -0.1 } },
        { "temperature", Input() with { Temperature = 0.009 } },
        { "temperature", Input() with { Temperature = 2.01 } },
        { "temperature", Input() with { Temperature = double.NaN } },
        { "top_k", Input() with { TopK = -2 } },
        { "top_p", Input() with { TopP = -0.1 } },
        { "top_p", Input() with { TopP = 1.1 } },
        { "min_p", Input() with { MinP = -0.1 } },
        { "min_p", Input() with { MinP = 1.1 } },
        { "repetition_penalty", Input() with { RepetitionPenalty = 0 } },
        { "repetition_penalty", Input() with { RepetitionPenalty = 2.1 } },
        { "frequency_penalty", Input() with { FrequencyPenalty = -2.1 } },
        { "presence_penalty", Input() with { PresencePenalty = 2.1 } },
        { "logit_bias", Input() with { LogitBias = new Dictionary<int, double> { [258] = 1 } } },
        { "logit_bias", Input() with { LogitBias = new Dictionary<int, double> { [-1] = 1 } } },
        { "logit_bias[5]", Input() with { LogitBias = new Dictionary<int, double> { [5] = 100.5 } } },
        { "logit_bias", Input() with { LogitBias = Enumerable.Range(0, 1025).ToDictionary(i => i, _ => 1.0) } },
        { "stop", Input() with { Stop = [new string('x', 257)] } },
        { "stop", Input() with { Stop = [.. Enumerable.Repeat("x", 17)] } },
        { "n", Input() with { N = 0 } },
        { "n", Input() with { N = 129 } },
        { "n", Input() with { N = 30 } },
        { "logprobs", Input() with { LogProbs = 21 } },
        { "top_logprobs", Input() with { LogProbs = -1, LogProbsField = "top_logprobs" } },
        { "model", Input() with { Model = "other" } },
        { "prompt", Input() with { Prompts = [] } },
        { "messages[0].role", Input() with { Prompts = [new ChatPrompt([new ChatMessage("nobody", "hi")])] } },
        { "messages", Input() with { Prompts = [new ChatPrompt([])] } },
        { "prompt[1]", Input() with { Prompts = [new TextPrompt("a", "prompt[0]"), new TokenPrompt([], "prompt[1]")] } },
        { "prompt", Input() with { Prompts = [new TokenPrompt([1, 258])] } },
        { "prompt", Input() with { Prompts = [new TokenPrompt([-1])] } },
        { "prompt", Input() with { Prompts = [.. Enumerable.Repeat(new TextPrompt("a"), 65)] } },
        { "prompt", Input(new string('x', 65)) with { MaxTokens = null } },
        { "max_tokens", Input(new string('x', 63)) with { MaxTokens = null } },
    };

    [Theory]
    [MemberData(nameof(Refused), DisableDiscoveryEnumeration = true)]
    public void Bad_input_is_refused_with_its_field(string field, GenerationInput input)
    {
        var refused = Assert.Throws<InvalidRequestException>(() => Validator.Prepare(input));
        Assert.Equal(field, refused.Field);
        Assert.NotEmpty(refused.Message);
    }

    public static TheoryData<GenerationInput> Accepted => new()
    {
        Input() with { AlignmentStrength = -1 },
        Input() with { AlignmentStrength = 10 },
        Input() with { MaxTokens = 58 },
        Input() with { Echo = true, MaxTokens = 0 },
        Input() with { Temperature = 0 },
        Input() with { Temperature = 0.01 },
        Input() with { Temperature = 2 },
        Input() with { TopK = -1 },
        Input() with { TopP = 1 },
        Input() with { MinP = 1 },
        Input() with { RepetitionPenalty = 2 },
        Input() with { LogitBias = Enumerable.Range(0, 258).ToDictionary(i => i, _ => -100.0) },
        Input() with { Stop = [.. Enumerable.Repeat(new string('x', 256), 16)] },
        Input() with { N = 18 },
        Input() with { LogProbs = 20 },
        Input() with { Model = "pair" },
        Input() with { Prompts = [new TokenPrompt([0, 257])] },
        Input(new string('x', 62)) with { MaxTokens = null },
    };

    [Theory]
    [MemberData(nameof(Accepted), DisableDiscoveryEnumeration = true)]
    public void Each_range_includes_its_edges(GenerationInput input) => Assert.NotEmpty(Validator.Prepare(input).Choices);

    [Fact]
    public void Too_long_carries_the_code_that_clients_read() =>
        Assert.Equal("context_length_exceeded",
            Assert.Throws<InvalidRequestException>(() => Validator.Prepare(Input() with { MaxTokens = 60 })).Code);

    [Fact]
    public void An_unknown_model_carries_the_code_that_clients_read() =>
        Assert.Equal("model_not_found",
            Assert.Throws<InvalidRequestException>(() => Validator.Prepare(Input() with { Model = "x" })).Code);

    [Fact]
    public void Unset_fields_take_the_pair_s_defaults_and_strength_1()
    {
        var request = Validator.Prepare(Input()).Choices[0].Request;
        Assert.Equal((1.0, 0.7f, 50), (request.Strengths[0], request.Sampling.Temperature, request.Sampling.TopK));
        Assert.Equal([ByteTokenizer.Eos], request.StopTokens);
        Assert.Null(request.LogProbs);
    }

    [Fact]
    public void Unset_max_tokens_takes_the_default_or_what_the_context_leaves()
    {
        Assert.Equal(16, MaxTokens(Input() with { MaxTokens = null, DefaultMaxTokens = 16 }));
        Assert.Equal(58, MaxTokens(Input() with { MaxTokens = null }));
        Assert.Equal(3, MaxTokens(Input(new string('x', 60)) with { MaxTokens = null, DefaultMaxTokens = 16 }));

        static int MaxTokens(GenerationInput input) => Validator.Prepare(input).Choices[0].Request.MaxTokens;
    }

    [Theory]
    [InlineData(null)]
    [InlineData(16)]
    public void Minus_1_takes_what_the_context_leaves_whatever_the_default(int? byDefault)
    {
        var input = Input() with { MaxTokens = -1, DefaultMaxTokens = byDefault };
        Assert.Equal(58, Validator.Prepare(input).Choices[0].Request.MaxTokens);
        var cut = Validator.Prepare(input with { Prompts = [new TextPrompt(new string('x', 99))], TruncatePromptTokens = -1 }).Choices[0];
        Assert.Equal((63, 1), (cut.Request.PromptTokens.Count, cut.Request.MaxTokens));
        Assert.Throws<InvalidRequestException>(() => Validator.Prepare(input with { Prompts = [new TextPrompt(new string('x', 63))] }));
    }

    [Theory]
    [InlineData(null)]
    [InlineData(-1L)]
    public void Without_a_seed_and_at_minus_1_one_is_drawn_that_a_double_holds(long? seed)
    {
        var drawn = Enumerable.Range(0, 64).Select(_ => Validator.Prepare(Input() with { Seed = seed }).Seed).ToList();
        Assert.Equal(64, drawn.Distinct().Count());
        Assert.All(drawn, one => Assert.InRange(one, 0, (1L << 53) - 1));
        Assert.Contains(drawn, one => one > uint.MaxValue);
    }

    [Theory]
    [InlineData(-2L)]
    [InlineData(long.MinValue)]
    [InlineData(0L)]
    [InlineData(long.MaxValue)]
    public void Every_other_number_is_a_seed(long seed) => Assert.Equal(seed, Validator.Prepare(Input() with { Seed = seed }).Seed);

    [Fact]
    public void Empty_stop_strings_are_none() =>
        Assert.Equal(["END"], Validator.Prepare(Input() with { Stop = ["", "END"] }).Choices[0].StopStrings);

    [Fact]
    public void An_empty_name_of_a_model_is_none() => Assert.Equal("pair", Validator.Prepare(Input() with { Model = "" }).Model);

    [Theory]
    [InlineData(5e-324)]
    [InlineData(1e-38)]
    public void A_repetition_penalty_above_0_divides_no_logit_out_of_range(double penalty)
    {
        var sampling = Validator.Prepare(Input() with { RepetitionPenalty = penalty, TypicalP = penalty }).Choices[0].Request.Sampling;
        Assert.True(sampling.TypicalP > 0);
        Assert.True(float.IsFinite(1e4f / sampling.RepetitionPenalty));
    }

    [Theory]
    [InlineData(null, null, null)]
    [InlineData(2.5, null, 2.5)]
    [InlineData(2.5, 9, 2.5)]
    [InlineData(10.0, 9, 9.0)]
    [InlineData(null, 9, 9.0)]
    public void The_sooner_deadline_holds_the_request_s_or_the_server_s(double? timeout, int? most, double? expected)
    {
        var limits = new RequestLimits { MaxDuration = most is { } seconds ? TimeSpan.FromSeconds(seconds) : null };
        var validator = new RequestValidator(new ServedNames("pair", ["aligned"]), new ByteTokenizer(), new GenerationDefaults(), limits,
            new ExecutorLimits(258, ContextTokens: 64, BlockTokens: 8, BlockCount: 32));
        Assert.Equal(expected, validator.Prepare(Input() with { TimeoutSeconds = timeout }).Deadline?.TotalSeconds);
    }

    [Fact]
    public void Top_p_0_keeps_the_likeliest_token()
    {
        var sampling = Validator.Prepare(Input() with { TopP = 0 }).Choices[0].Request.Sampling;
        var row = new SamplingRow { Parameters = sampling, NoiseKey = 0, History = default, PromptTokens = 0 };
        Assert.Equal([0, 1, 0], ReferenceSampler.Distribution([1, 1.01f, 1], row));
    }

    [Fact]
    public void Choices_are_numbered_prompt_by_prompt()
    {
        var prepared = Validator.Prepare(Input() with { N = 2, Prompts = [new TextPrompt("a"), new TextPrompt("b")] });
        Assert.Equal([(0, 0), (1, 1), (2, 0), (3, 1)], prepared.Choices.Select(c => (c.Index, c.Request.ChoiceIndex)));
        Assert.Equal([256, 'b'], prepared.Choices[2].Request.PromptTokens);
        Assert.Equal(4, prepared.PromptTokens);
        Assert.Single(prepared.Choices.Select(choice => choice.Request.Seed).Distinct());
    }

    [Fact]
    public void Text_gets_the_tokenizer_s_BOS_and_ids_are_taken_as_they_are()
    {
        Assert.Equal([256, 'h', 'i'], Validator.Prepare(Input("hi")).Choices[0].Request.PromptTokens);
        Assert.Equal([104], Validator.Prepare(Input() with { Prompts = [new TokenPrompt([104])] }).Choices[0].Request.PromptTokens);
    }

    [Fact]
    public void A_chat_is_rendered_and_stops_where_the_template_says()
    {
        var prepared = Validator.Prepare(Input() with { Prompts = [new ChatPrompt([new ChatMessage("user", "hi")])], Stop = ["END"] });
        Assert.Equal(["END", .. PlainChatTemplate.StopStrings], prepared.Choices[0].StopStrings);
        Assert.False(prepared.Choices[0].ContinuesPrompt);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Whether_tokens_may_be_guessed_is_the_engine_s_to_know_for_every_choice(bool speculation)
    {
        Assert.True(Validator.Prepare(Input()).Choices[0].Request.Speculation);
        var prepared = Validator.Prepare(
            Input() with { Speculation = speculation, N = 2, Prompts = [new TextPrompt("a"), new TextPrompt("b")] });
        Assert.Equal(Enumerable.Repeat(speculation, 4), prepared.Choices.Select(choice => choice.Request.Speculation));
    }

    [Fact]
    public void Ignore_eos_takes_the_stop_tokens_away() =>
        Assert.Empty(Validator.Prepare(Input() with { IgnoreEos = true }).Choices[0].Request.StopTokens);

    [Theory]
    [InlineData("ab", "97,98")]
    [InlineData("</s>", "60,47,115,62", "257")]
    [InlineData("a<s>b", "97,60,115,62,98", "97,256,98")]
    public void A_bad_word_is_forbidden_as_letters_and_as_the_special_tokens_that_it_spells(string word, params string[] sequences) =>
        Assert.Equal(sequences, Validator.Prepare(Input() with { BadWords = [word] }).Choices[0].Request.Sampling.BadWords
            .Select(tokens => string.Join(',', tokens)));
}
