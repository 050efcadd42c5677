using DeRa.Text.Templates;
using DeRa.Text.Templates.Values;
using Xunit;

namespace DeRa.Text.Tests.Templates;

public sealed class TemplateErrorTests
{
    [Theory]
    [InlineData("a\n{{ 'x'|shout }}", 2, "'shout'", "tojson")]
    [InlineData("a\n\n{% if x is odder %}{% endif %}", 3, "'odder'", "divisibleby")]
    [InlineData("{% include 'x' %}", 1, "'include'", "generation")]
    [InlineData("{% for a in b recursive %}{% endfor %}", 1, "recursive", "not implemented")]
    public void What_is_not_known_is_refused_when_the_template_is_read(string template, int line, string name, string known)
    {
        var error = Assert.Throws<ChatTemplateException>(() => JinjaTemplate.Parse(template));
        Assert.Equal(line, error.Line);
        Assert.Contains(name, error.Message, StringComparison.Ordinal);
        Assert.Contains(known, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_function_may_be_unknown_where_it_is_not_called()
    {
        Assert.Equal("no", Render("{% if shout is defined %}{{ shout() }}{% else %}no{% endif %}"));
        var error = Assert.Throws<ChatTemplateException>(() => Render("\n{{ shout() }}"));
        Assert.Equal(2, error.Line);
        Assert.Contains("'shout' is undefined", error.Message, StringComparison.Ordinal);
        Assert.Contains("strftime_now", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_template_raises_is_its_own_text()
    {
        var error = Assert.Throws<ChatTemplateException>(() => Render("\n{{ raise_exception('Only user and assistant roles!') }}"));
        Assert.Equal((true, "Only user and assistant roles!"), (error.IsRaised, error.Message));
    }

    [Theory]
    [InlineData("{% macro m(a) %}{% endmacro %}{{ m(a=1, a=2) }}", "'a' twice")]
    [InlineData("{% macro m() %}{{ kwargs }}{% endmacro %}{{ m(a=1, **{'a': 2}) }}", "'a' twice")]
    [InlineData("{{ ['nan'|float, 2.0, 1.0]|sort }}", "nan")]
    public void A_fault_of_the_template_is_told_as_one(string template, string named) =>
        Assert.Contains(named, Assert.Throws<ChatTemplateException>(() => Render(template)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("{{ 'abc'.startswith(text='ab') }}", "True")]
    [InlineData("{{ 9223372036854775806 % 9223372036854775807 }}", "9223372036854775806")]
    [InlineData("{% for i in [1, 2] %}{{ i }}{% break %}{% else %}e{% endfor %}", "1e")]
    [InlineData("{% for i in [1, 2] %}{{ i }}{% if i == 1 %}{% continue %}{% endif %}{% else %}e{% endfor %}", "12")]
    [InlineData("{{ -7 % 3 }} {{ 7 % -3 }} {{ 6 % -3 }}", "2 -2 0")]
    [InlineData("{{ 5.0 % ('infinity'|float) }} {{ -5.5 % 2 }} {{ 5.5 % -2 }}", "5.0 0.5 -0.5")]
    public void What_no_other_test_reaches_is_as_in_Python(string template, string expected) => Assert.Equal(expected, Render(template));

    private static string Render(string template) =>
        JinjaTemplate.Parse(template).Render(new Dictionary<string, object>(), new TemplateLimits(), TimeProvider.System);
}
