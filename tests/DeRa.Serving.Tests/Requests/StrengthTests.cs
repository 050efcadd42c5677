using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;
using DeRa.Serving.Requests;
using DeRa.Testing;
using DeRa.Text.Chat;
using Xunit;

namespace DeRa.Serving.Tests.Requests;

public sealed class StrengthTests
{
    private static readonly RequestValidator Validator = new(new ServedNames("owner/pair", ["helpful", "concise"]), new ByteTokenizer(),
        new GenerationDefaults(), new RequestLimits(), new ExecutorLimits(258, ContextTokens: 64, BlockTokens: 8, BlockCount: 32));

    private static GenerationInput Input(string? model = null) => new() { Prompts = [new TextPrompt("a")], MaxTokens = 1, Model = model };

    private static Dictionary<string, double> Named(double helpful, double concise) =>
        new() { ["helpful"] = helpful, ["concise"] = concise };

    /// <summary>A conversation of messages with and without a strength.</summary>
    private static GenerationInput Chat(string? model, params double?[] strengths) => Input(model) with
    {
        Prompts =
        [
            new ChatPrompt([.. strengths.Select(_ => new ChatMessage("user", "a"))])
            {
                Strengths = [.. strengths.Index().Where(own => own.Item is not null)
                    .Select(own => new MessageStrength($"messages[{own.Index}].alignment_strength", own.Item!.Value))],
            },
        ],
    };

    public static TheoryData<GenerationInput, double[]> Mixtures => new()
    {
        { Input(), [1, 0] },
        { Input("owner/pair"), [1, 0] },
        { Input("owner/pair-reference"), [0, 0] },
        { Input("owner/pair-helpful"), [1, 0] },
        { Input("owner/pair-concise"), [0, 1] },
        { Input("owner/pair@0.5"), [.5, 0] },
        { Input("owner/pair@-1"), [-1, 0] },
        { Input("owner/pair@1e1"), [10, 0] },
        { Input() with { AlignmentStrength = .25 }, [.25, 0] },
        { Input() with { NamedStrengths = Named(.6, .4) }, [.6, .4] },
        { Input() with { NamedStrengths = new Dictionary<string, double> { ["concise"] = 2 } }, [0, 2] },
        { Input() with { NamedStrengths = new Dictionary<string, double>() }, [0, 0] },
        { Input() with { NamedStrengths = Named(10, -1) }, [10, -1] },
        { Input("owner/pair@0.5") with { AlignmentStrength = .6 }, [.6, 0] },
        { Input("owner/pair@0.5") with { NamedStrengths = Named(0, .6) }, [0, .6] },
        { Chat(null, .2, null, .3, null), [.3, 0] },
        { Chat("owner/pair@0.5", .2), [.2, 0] },
        { Chat("owner/pair@0.5", null, null), [.5, 0] },
        { Chat("owner/pair@0.5", .2) with { AlignmentStrength = .7 }, [.7, 0] },
        { Chat(null, .2) with { NamedStrengths = Named(0, .7) }, [0, .7] },
        { Chat("owner/pair-helpful", .2, 1), [1, 0] },
        { Input("owner/pair@0.5") with { AlignmentSchedule = new() { Start = 2, End = .3, Tokens = 4 } }, [2, 0] },
        { Chat(null, .2) with { AlignmentSchedule = new() { Start = 2, End = .3, Tokens = 0 } }, [.3, 0] },
        { Input("owner/pair-concise") with { NamedStrengths = Named(0, 1) }, [0, 1] },
        { Input("owner/pair-reference") with { AlignmentStrength = 0 }, [0, 0] },
    };

    [Theory, MemberData(nameof(Mixtures))]
    public void A_request_names_its_mixture_by_number_by_names_or_by_the_models_name(GenerationInput input, double[] expected)
    {
        var prepared = Validator.Prepare(input);
        Assert.Equal(new AlignmentStrengths(expected), prepared.Strengths);
        Assert.Equal(prepared.Strengths, prepared.Choices[0].Request.Strengths);
        Assert.Equal(input.Model ?? "owner/pair", prepared.Model);
    }

    public static TheoryData<string, string, GenerationInput> Refused => new()
    {
        { "model", "no number after '@'", Input("owner/pair@") },
        { "model", "no number after '@'", Input("owner/pair@much") },
        { "model", "the strength in 'owner/pair@10.5' is 10.5; it must be between -1 and 10", Input("owner/pair@10.5") },
        { "model", "NaN", Input("owner/pair@NaN") },
        { "model", "'owner/pair-reference', 'owner/pair-helpful', 'owner/pair-concise' and 'owner/pair@STRENGTH' are",
            Input("owner/pair-aligned") },
        { "model", "not served", Input("owner/pair-helpful@0.5") },
        { "alignment_strength", "fixes the mixture", Input("owner/pair-helpful") with { AlignmentStrength = .6 } },
        { "messages[1].alignment_strength", "fixes the mixture", Chat("owner/pair-helpful", 1, .6) },
        { "alignment_schedule", "fixes the mixture", Input("owner/pair-helpful")
            with { AlignmentSchedule = new() { Start = 1, End = 1, Tokens = 1 } } },
        { "messages[0].alignment_strength", "is -2; it must be between -1 and 10", Chat(null, -2, 1) },
        { "messages[0].alignment_strength", "between -1 and 10", Chat(null, 11) with { AlignmentStrength = 1 } },
        { "messages[0].alignment_strength", "one of several prompts",
            Chat(null, .5) with { Prompts = [.. Chat(null, .5).Prompts, new TextPrompt("a")] } },
        { "lambda", "fixes the mixture", Input("owner/pair-reference") with { AlignmentStrength = 1, AlignmentStrengthField = "lambda" } },
        { "alignment_strengths", "fixes the mixture", Input("owner/pair-helpful") with { NamedStrengths = Named(1, .5) } },
        { "alignment_strengths", "both set", Input() with { AlignmentStrength = .6, NamedStrengths = Named(.6, 0) } },
        { "alignment_strengths.aligned", "helpful, concise", Input()
            with { NamedStrengths = new Dictionary<string, double> { ["aligned"] = 1 } } },
        { "alignment_strengths.concise", "is 10.1; it must be between -1 and 10", Input() with { NamedStrengths = Named(0, 10.1) } },
        { "alignment_strengths.helpful", "NaN", Input() with { NamedStrengths = Named(double.NaN, 0) } },
        { "alignment_strengths", "the sum of 'alignment_strengths' is 11", Input() with { NamedStrengths = Named(10, 1) } },
        { "alignment_strengths", "the sum of 'alignment_strengths' is -2", Input() with { NamedStrengths = Named(-1, -1) } },
    };

    [Theory, MemberData(nameof(Refused))]
    public void A_mixture_that_is_unknown_out_of_range_or_contradicted_is_refused(string field, string message, GenerationInput input)
    {
        var refused = Assert.Throws<InvalidRequestException>(() => Validator.Prepare(input));
        Assert.Equal(field, refused.Field);
        Assert.Contains(message, refused.Message, StringComparison.Ordinal);
        Assert.Equal(message.Contains("STRENGTH", StringComparison.Ordinal) || message == "not served",
            refused.Code == InvalidRequestException.ModelNotFound);
    }

    [Fact]
    public void Decimals_that_add_up_to_the_limit_are_within_it()
    {
        // As binary fractions they add up to 10.000000000000002.
        var three = new RequestValidator(new ServedNames("pair", ["a", "b", "c"]), new ByteTokenizer(),
            new GenerationDefaults(), new RequestLimits(), new ExecutorLimits(258, ContextTokens: 64, BlockTokens: 8, BlockCount: 32));
        var named = new Dictionary<string, double> { ["a"] = .3, ["b"] = 7.9, ["c"] = 1.8 };
        Assert.Equal(new AlignmentStrengths(.3, 7.9, 1.8), three.Prepare(Input() with { NamedStrengths = named }).Strengths);
    }

    [Theory]
    [InlineData("a b")]
    [InlineData("")]
    [InlineData("é")]
    [InlineData("a@1")]
    [InlineData("reference")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public void A_name_that_requests_could_not_use_is_refused(string name) =>
        Assert.Throws<FormatException>(() => new ServedNames("pair", [name]));

    [Fact]
    public void The_reference_weighs_what_the_strengths_leave()
    {
        Assert.Equal(-1.5, new AlignmentStrengths(2, .5).Reference);
        Assert.Equal(1, new AlignmentStrengths().Reference);
        // As decimals they add up to 1, as binary fractions to a little less.
        Assert.Equal(0, new AlignmentStrengths(.7, .2, .1).Reference);
        Assert.Equal(new AlignmentStrengths(.5), new AlignmentStrengths(.5, 0, 0));
        Assert.NotEqual(new AlignmentStrengths(.5), new AlignmentStrengths(0, .5));
    }

    [Fact]
    public void Models_of_weight_0_are_not_active()
    {
        Assert.Equal([0], new AlignmentStrengths().ActiveModels);
        Assert.Equal([1], new AlignmentStrengths(1).ActiveModels);
        Assert.Equal([0, 1], new AlignmentStrengths(2).ActiveModels);
        Assert.Equal([0, 2], new AlignmentStrengths(0, .5, 0).ActiveModels);
        Assert.Equal([1, 2, 3], new AlignmentStrengths(.7, .2, .1).ActiveModels);
    }
}
