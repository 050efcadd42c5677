using Xunit;

namespace DeRa.Chart.Tests.Rendering;

/// <summary>What the templates of the chart rely on, as Go, Sprig and Helm document it.</summary>
public class TemplateRendererTests
{
    private const string Values = """
        {name: dera, port: 8080, bytes: 1048576, fraction: 0.02, flag: true, no: false, empty: "", list: [b, a], none: [],
         map: {b: 1, a: [x, {y: z}]}, yes: "true"}
        """;

    [Theory]
    [InlineData("a {{ .name }} b", "a dera b")]
    [InlineData("a\n  {{- .name }}\n b", "adera\n b")]
    [InlineData("a {{ .name -}} \n b", "a derab")]
    [InlineData("a {{- /* a comment with }} in it? no: with one } */ -}} b", null)]
    [InlineData("a {{- /* a comment */ -}} b", "ab")]
    [InlineData("{{ .port }} {{ .fraction }} {{ .flag }}", "8080 0.02 true")]
    [InlineData("{{ .bytes }}", "1.048576e+06")]
    [InlineData("{{ int .port }}", "8080")]
    [InlineData("{{ .name | quote }} {{ .port | quote }} {{ .name | squote }}", "\"dera\" \"8080\" 'dera'")]
    [InlineData("""{{ "{{ $labels.pod }}" }}""", "{{ $labels.pod }}")]
    [InlineData("""{{ printf "%s-%v" .name .port | trunc 7 | trimSuffix "8" }}""", "dera-80")]
    [InlineData("""{{ printf "%s" .port }}""", null)]
    [InlineData("""{{ default "x" .empty }}{{ default "x" .name }}""", "xdera")]
    [InlineData("{{ if .no }}1{{ else if .none }}2{{ else }}3{{ end }}", "3")]
    [InlineData("{{ if and .flag (not .none) }}1{{ end }}", "1")]
    [InlineData("{{ if or .no .empty }}1{{ else }}2{{ end }}", "2")]
    [InlineData("""{{ if eq .name "dera" }}1{{ end }}""", "1")]
    [InlineData("""{{ if eq .flag "true" }}1{{ end }}""", null)]
    [InlineData("{{ with .empty }}1{{ end }}{{ with .name }}{{ . }}{{ end }}", "dera")]
    [InlineData("{{ with .map }}{{ $.name }}{{ end }}", "dera")]
    [InlineData("{{ range .list }}<{{ . }}>{{ end }}", "<b><a>")]
    [InlineData("{{ range $key, $value := .map }}{{ $key }}{{ end }}", "ab")]
    [InlineData("{{ range $index, $value := .list }}{{ $index }}{{ $value }}{{ end }}", "0b1a")]
    [InlineData("{{ $x := .port }}{{ with .name }}{{ $x }}{{ end }}", "8080")]
    [InlineData("{{ if .flag }}{{ $x := .port }}{{ end }}{{ $x }}", null)]
    [InlineData("{{ add .port 1 2 }} {{ div .port 3 }}", "8083 2693")]
    [InlineData("""{{ define "t" }}<{{ .name }}>{{ end }}{{ include "t" . | nindent 2 }}""", "\n  <dera>")]
    [InlineData("""{{ define "t" }}{{ .a }}{{ .b.name }}{{ end }}{{ include "t" (dict "a" "x" "b" .) }}""", "xdera")]
    [InlineData("""{{ include "missing" . }}""", null)]
    [InlineData("x:\n  {{- toYaml .map | nindent 2 }}", "x:\n  a:\n  - x\n  - y: z\n  b: 1")]
    [InlineData("{{ toYaml .yes }}", "\"true\"")]
    [InlineData("""{{ if kindIs "slice" .list }}1{{ end }}{{ if kindIs "slice" .name }}2{{ end }}""", "1")]
    [InlineData("""{{ regexReplaceAll "^[^=/]*=" "a=b=c" "" }}""", "b=c")]
    [InlineData("{{ .map }}", null)]
    [InlineData("{{ .missing }}", null)]
    [InlineData("{{ .name.more }}", null)]
    [InlineData("{{ lookup .name }}", null)]
    [InlineData("{{ .name + 1 }}", null)]
    [InlineData("{{ if .flag }}", null)]
    [InlineData("{{ end }}", null)]
    [InlineData("{{ .name", null)]
    public void A_template_gives_its_text_or_an_error(string template, string? text)
    {
        if (text is null) Assert.Throws<TemplateException>(() => Render(template));
        else Assert.Equal(text, Render(template));
    }

    [Fact]
    public void What_fail_says_is_the_error() =>
        Assert.Equal("ports differ", Assert.Throws<TemplateException>(() => Render("""{{ fail "ports differ" }}""")).Message);

    private static string Render(string template)
    {
        var renderer = new TemplateRenderer();
        return renderer.Render(renderer.Add(template), YamlText.Read(Values));
    }
}
