using DeRa.Text.Templates;
using DeRa.Text.Templates.Values;
using Xunit;

namespace DeRa.Text.Tests.Templates;

/// <summary>What a template from anywhere may do to the server: nothing but fail.</summary>
public sealed class TemplateLimitTests
{
    private const string Doubling = "{% set ns = namespace(x='ab') %}{% for i in range(60) %}{% set ns.x = ";

    public static TheoryData<string, string> Greedy => new()
    {
        { "{{ 'a' * 1000000000 }}", "characters" },
        { "{{ 'a' * 9000000000000000000 }}", "characters" },
        { "{{ ('a' * 8000)|replace('a', 'a' * 8000) }}", "characters" },
        { Doubling + "ns.x ~ ns.x %}{% endfor %}", "steps|characters" },
        { Doubling + "ns.x + ns.x %}{% endfor %}", "steps|characters" },
        { Doubling + "ns.x|replace('a', 'aaa') %}{% endfor %}", "steps|characters" },
        { Doubling + "[ns.x, ns.x]|join %}{% endfor %}", "steps|characters" },
        { Doubling + "'%s%s' % (ns.x, ns.x) %}{% endfor %}", "steps|characters" },
        { Doubling + "'{0}{0}'.format(ns.x) %}{% endfor %}", "steps|characters" },
        { Doubling + "ns.x|indent(1000000, true) %}{% endfor %}", "steps|characters" },
        { Doubling + "[ns.x, ns.x] %}{% endfor %}{{ ns.x }}", "steps|characters" },
        { Doubling + "[ns.x, ns.x] %}{% endfor %}{{ ns.x|tojson }}", "steps|characters" },
        { Doubling + "[ns.x, ns.x] %}{% endfor %}{{ ns.x == ns.x + [] }}", "steps" },
        { "{% set ns = namespace(x=[1, 2]) %}{% for i in range(60) %}{% set ns.x = ns.x + ns.x %}{% endfor %}", "steps" },
        { "{{ [1] * 1000000000 }}", "steps" },
        { "{{ [[1]] * 9000000000000000000 }}", "steps" },
        { "{% for i in range(90000) %}{% for j in range(90000) %}{% endfor %}{% endfor %}", "steps" },
        { "{% set t = 'a' * 9000000 %}{% for i in range(90000) %}{{ 'b' in t }}{% endfor %}", "steps" },
        { "{% set t = 'a' * 9000000 %}{% for i in range(90000) %}{{ t|length }}{% endfor %}", "steps" },
        { "{% set t = 'a' * 9000000 %}{% for i in range(90000) %}{% set u = t.strip() %}{% endfor %}", "steps" },
        { "{{ ('a' * 9000000)|list }}", "steps" },
        { "{{ ('a ' * 900000).split() }}", "steps" },
        { "{% for i in range(90000) %}{{ 'aaaaaaaaaa' * 1000 }}{% endfor %}", "characters" },
        { "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "levels" },
        { "{% macro m(x) %}{{ m([x]) }}{% endmacro %}{{ m(1) }}", "levels" },
        { "{% set ns = namespace(x=1) %}{% for i in range(300) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}", "levels" },
        { "{{ range(1000000000) }}", "MAX_RANGE" },
        { "{{ 9223372036854775807 + 1 }}", "64 bits" },
        { "{{ 10 ** 100 }}", "64 bits" },
        { "{{ 3 ** 9000000000000000000 }}", "64 bits" },
        { "{{ '%99999999d' % 1 }}", "width" },
        { "{{ 'a'.ljust(9000000000000000000) }}", "characters" },
        { Long + "{% set u = t|indent(-9000000000000000000) %}" + Again, "steps" },
        { "{% set u = 'a'.ljust(-9000000000000000000) %}" + Long + Again, "steps" },
        { "{% set u = [1]|tojson(indent=-9000000000000000000) %}" + Long + Again, "steps" },
        { Long + "{{ ('a' * 2000000 + 'b' + 'a' * 2000000) in t }}", "steps" },
        { Long + "{{ t.find('a' * 2000000 + 'b' + 'a' * 2000000) }}", "steps" },
        { Long + "{{ t.rsplit('a' * 2000000 + 'b' + 'a' * 2000000, 9) }}", "steps" },
        { Long + "{{ t|replace('a' * 2000000 + 'b' + 'a' * 2000000, '') }}", "steps" },
        { "{% set p = ('a' * 1000000 + 'b',) * 90000 %}" + Long + "{{ t.startswith(p) }}", "steps" },
        { Long + Repeated + "{% set d = {t: 1} %}{% endfor %}", "steps" },
        { Long + Repeated + "{% set d = {}[t] %}{% endfor %}", "steps" },
        { Long + Repeated + "{% set d = t is upper %}{% endfor %}", "steps" },
        { Long + "{% set z = t|replace('a', '0') %}" + Repeated + "{% set d = z|int %}{% endfor %}", "steps" },
        { "{% macro m() %}{{ kwargs|length }}{% endmacro %}" + Long + "{% set d = {t: 1} %}"
            + Repeated + "{{ m(**d) }}{% endfor %}", "steps" },
        { "{{ ('%%' * 8000000) % () }}", "steps" },
        { "{{ ('{{' * 8000000).format() }}", "steps" },
        { "{% set t = '\n' * 9000000 %}" + Repeated + "{% set d = t|indent(0) %}{% endfor %}", "steps" },
        { "{{ [{}]|map(attribute='.' * 9000000, default={})|list }}", "steps" },
        { "{{ [{}]|sort(attribute=',' * 9000000) }}", "steps" },
        { "{% set i = '               ' * 4 %}{% set x = [[[[range(1000)|list]]]] %}"
            + "{% for i in range(90000) %}{% set d = x|tojson(indent=i) %}{% endfor %}", "steps|characters" },
        { "{{ ('<' * 16000000)|e }}", "characters" },
        { "{{ 0xFFFFFFFFFFFFFFFF }}", "64 bits" },
    };

    private const string Long = "{% set t = 'a' * 9000000 %}";
    private const string Repeated = "{% for i in range(90000) %}";
    private const string Again = "{% for i in range(90000) %}{% for j in range(90000) %}{% endfor %}{% endfor %}";

    [Theory]
    [MemberData(nameof(Greedy), DisableDiscoveryEnumeration = true)]
    public void A_greedy_template_is_stopped(string template, string bound)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var stopped = Assert.Throws<ChatTemplateException>(() => Render(template));
        Assert.Contains(bound.Split('|'), part => stopped.Message.Contains(part, StringComparison.Ordinal));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1L << 30);
    }

    [Theory]
    [InlineData("(", ")")]
    [InlineData("[", "]")]
    [InlineData("-", "")]
    [InlineData("not ", "")]
    [InlineData("{1: ", "}")]
    public void A_deep_expression_is_refused_when_it_is_read(string open, string close)
    {
        var deep = string.Concat(Enumerable.Repeat(open, 100_000)) + "1" + string.Concat(Enumerable.Repeat(close, 100_000));
        var error = Assert.Throws<ChatTemplateException>(() => JinjaTemplate.Parse("{{ " + deep + " }}"));
        Assert.Contains("levels deep", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Deep_blocks_are_refused_when_they_are_read() => Assert.Contains("levels deep", Assert.Throws<ChatTemplateException>(
        () => JinjaTemplate.Parse(string.Concat(Enumerable.Repeat("{% if 1 %}", 20_000)))).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData(" + 1")]
    [InlineData(" ~ 1")]
    [InlineData("|string")]
    [InlineData(" if 1 else 2")]
    public void A_long_chain_fails_or_renders_but_never_ends_the_process(string link)
    {
        var template = "{{ 1" + string.Concat(Enumerable.Repeat(link, 50_000)) + " }}";
        if (Record.Exception(() => Render(template)) is { } error) Assert.IsType<ChatTemplateException>(error);
    }

    [Theory]
    [InlineData("{% filter trim", "|e", " %}x{% endfilter %}")]
    [InlineData("{% set x", "|e", " %}x{% endset %}")]
    public void A_long_chain_of_filters_on_a_block_never_ends_the_process(string open, string link, string close)
    {
        var template = open + string.Concat(Enumerable.Repeat(link, 400_000)) + close;
        Assert.Contains("levels", Assert.Throws<ChatTemplateException>(() => Render(template)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Texts_that_stand_side_by_side_are_joined_in_linear_time() =>
        Assert.Equal(300_000, Render("{{ " + string.Concat(Enumerable.Repeat("'a'", 300_000)) + " }}").Length);

    [Fact]
    public void A_name_of_any_length_is_refused_when_it_is_read() => Assert.Contains("256 characters", Assert.Throws<ChatTemplateException>(
        () => JinjaTemplate.Parse($"{{{{ {new string('a', 257)} }}}}")).Message, StringComparison.Ordinal);

    [Fact]
    public void The_greatest_of_many_reads_each_item_once() =>
        Assert.Equal("2000000", Render("{{ (['b' * 2000000] + ['a'] * 90000)|max|length }}"));

    [Fact]
    public void Keys_that_were_chosen_to_collide_do_not() => Assert.Equal(
        "100000", Render("{{ range(0, 429496729700000, 4294967297)|unique|list|length }}"));

    [Fact]
    public void A_template_of_more_than_a_million_characters_is_not_read() =>
        Assert.Throws<ChatTemplateException>(() => JinjaTemplate.Parse(new string('a', (1 << 20) + 1)));

    [Fact]
    public void A_long_conversation_is_within_the_limits()
    {
        var text = Render("{% for i in range(2000) %}"
            + "{{ '<|im_start|>' + 'user' + '\\n' + ('word ' * 200)|trim + '<|im_end|>' + '\\n' }}{% endfor %}");
        Assert.Equal(2000 * ("<|im_start|>user\n<|im_end|>\n".Length + 999), text.Length);
    }

    private static string Render(string template) =>
        JinjaTemplate.Parse(template).Render(new Dictionary<string, object>(), new TemplateLimits(), TimeProvider.System);
}
