using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;
using DeRa.Serving.Requests;
using DeRa.Testing;
using Xunit;

namespace DeRa.Serving.Tests.Requests;

/// <summary>Each entry of the table holds together: what it reads is what it checks, and what it checks reaches the sampler.</summary>
public class SamplingFieldTests
{
    private static readonly RequestValidator Validator = new(new ServedNames("pair", ["helpful"]), new ByteTokenizer(),
        new GenerationDefaults(), new RequestLimits(), new ExecutorLimits(258, ContextTokens: 64, BlockTokens: 8, BlockCount: 32));

    private static readonly GenerationInput Input = new() { Prompts = [new TextPrompt("hello")] };

    public static TheoryData<string> Names => [.. SamplingFields.All.Select(entry => entry.Name)];

    private static NumberField Field(string name) => SamplingFields.All.Single(field => field.Name == name);

    [Theory]
    [MemberData(nameof(Names))]
    public void A_value_is_set_and_reaches_the_sampler_and_one_below_the_range_is_refused_by_name(string name)
    {
        var field = Field(name);
        var range = field.Range(Validator.Context);
        Assert.Null(field.Get(Input));
        var least = Math.Max(range.Low, 0);
        var value = field.IsWhole ? 5 : least + 0.3 * (range.High - least);
        var with = field.Set(Input, value);
        Assert.Equal(value, field.Get(with));
        Assert.NotEqual(Sampling(Input), Sampling(with));
        var refused = Assert.Throws<InvalidRequestException>(() => Validator.Prepare(field.Set(Input, range.Low - 1)));
        Assert.Equal(name, refused.Field);
        Assert.StartsWith($"'{name}' is ", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Its_default_is_in_its_range(string name)
    {
        var field = Field(name);
        Assert.Equal(field.DefaultNumber!(Validator.Context), field.Checked(Input, Validator.Context));
    }

    [Fact]
    public void Each_form_of_request_has_each_field_once_and_whole_numbers_are_read_as_such()
    {
        foreach (var form in new[] { EndpointFields.Completion, EndpointFields.Chat })
        {
            var names = form.Select(field => field.Name).ToList();
            Assert.Equal(names.Distinct(), names);
            Assert.Subset(names.ToHashSet(), SamplingFields.All.Select(field => field.Name).ToHashSet());
            Assert.All(form.OfType<NumberField>(), field => Assert.Equal(field.Range(Validator.Context).IsWhole, field.IsWhole));
        }
    }

    [Theory]
    [InlineData(0.005, "'temperature' is 0.005; it must be 0 (greedy) or between 0.01 and 2.")]
    [InlineData(double.NaN, "'temperature' is NaN; it must be 0 (greedy) or between 0.01 and 2.")]
    public void An_error_names_the_range_with_what_is_taken_beside(double temperature, string message) => Assert.Equal(message,
        Assert.Throws<InvalidRequestException>(() => Validator.Prepare(Input with { Temperature = temperature })).Message);

    [Fact]
    public void A_models_name_is_checked_with_its_strength()
    {
        Validator.CheckModel(null);
        Validator.CheckModel("pair@0.5");
        Assert.Equal("model", Assert.Throws<InvalidRequestException>(() => Validator.CheckModel("pair@11")).Field);
        Assert.Equal("model", Assert.Throws<InvalidRequestException>(() => Validator.CheckModel("nobody")).Field);
    }

    /// <summary>As text: lists are compared by what they hold.</summary>
    private static string Sampling(GenerationInput input)
    {
        var sampling = Validator.Prepare(input).Choices[0].Request.Sampling;
        return string.Join(';', typeof(SamplingParameters).GetProperties()
            .Where(property => property.PropertyType.IsValueType).Select(property => $"{property.Name}={property.GetValue(sampling)}"));
    }
}
