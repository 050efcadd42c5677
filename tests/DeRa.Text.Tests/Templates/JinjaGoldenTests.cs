using System.Text.Json.Nodes;
using DeRa.Testing;
using DeRa.Text.Templates;
using DeRa.Text.Templates.Values;
using Xunit;

namespace DeRa.Text.Tests.Templates;

/// <summary>
/// Golden/jinja.json was made with Jinja2 3.1.6 (Python 3.11) set up as transformers does: ImmutableSandboxedEnvironment,
/// trim_blocks, lstrip_blocks, loop controls, a generation tag, its tojson, raise_exception and strftime_now (at
/// 2026-03-05 09:07:02). Each case is one template rendered with <c>variables</c>, or the error that it gave.
/// </summary>
public sealed class JinjaGoldenTests
{
    private static readonly JsonObject Golden = (JsonObject)JsonNode.Parse(File.ReadAllText(
        Path.Combine(SharedData.ProjectRoot, "tests", "DeRa.Text.Tests", "Templates", "Golden", "jinja.json")))!;

    public static TheoryData<string, string> Rendered => Cases("rendered");

    public static TheoryData<string, string> Failing => Cases("error");

    [Theory]
    [MemberData(nameof(Rendered), DisableDiscoveryEnumeration = true)]
    public void A_template_renders_what_Jinja2_renders(string template, string rendered) => Assert.Equal(rendered, Render(template));

    [Theory]
    [MemberData(nameof(Failing), DisableDiscoveryEnumeration = true)]
    public void A_template_fails_where_Jinja2_fails(string template, string error)
    {
        var failed = Assert.Throws<ChatTemplateException>(() => Render(template));
        if (failed.IsRaised) Assert.Equal(error, failed.Message);
        else Assert.NotNull(failed.Line);
    }

    private static TheoryData<string, string> Cases(string outcome)
    {
        var data = new TheoryData<string, string>();
        foreach (var item in Golden["cases"]!.AsArray())
            if (item![outcome] is { } expected) data.Add(item["template"]!.GetValue<string>(), expected.GetValue<string>());
        return data;
    }

    private static string Render(string template)
    {
        var variables = Golden["variables"]!.AsObject()
            .ToDictionary(entry => entry.Key, entry => TemplateValue.Of(entry.Value, text => text));
        return JinjaTemplate.Parse(template).Render(variables, new TemplateLimits(), new FixedTime());
    }

    private sealed class FixedTime : TimeProvider
    {
        public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

        public override DateTimeOffset GetUtcNow() => new(2026, 3, 5, 9, 7, 2, TimeSpan.Zero);
    }
}
