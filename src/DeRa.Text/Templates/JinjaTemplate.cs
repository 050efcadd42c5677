using DeRa.Text.Templates.Expressions;
using DeRa.Text.Templates.Library;
using DeRa.Text.Templates.Statements;
using DeRa.Text.Templates.Syntax;
using DeRa.Text.Templates.Values;

namespace DeRa.Text.Templates;

/// <summary>
/// A Jinja template as Hugging Face renders chats with: the immutable sandbox, <c>trim_blocks</c>, <c>lstrip_blocks</c>, loop
/// controls, <c>raise_exception</c> and <c>strftime_now</c>. Immutable; any thread may render it.
/// </summary>
internal sealed class JinjaTemplate
{
    private readonly Body _body;

    private JinjaTemplate(Body body) => _body = body;

    /// <exception cref="ChatTemplateException">The template does not follow the grammar, or uses what is not known here.</exception>
    public static JinjaTemplate Parse(string source) => source.Length <= TemplateLimits.SourceCharacters
        ? new JinjaTemplate(TemplateParser.Parse(source))
        : throw new ChatTemplateException($"has more than {TemplateLimits.SourceCharacters} characters");

    /// <param name="variables">What the template is given.</param>
    /// <param name="limits">What it may do.</param>
    /// <param name="time">The clock of <c>strftime_now</c>.</param>
    /// <exception cref="ChatTemplateException">The template raises, fails or passes a limit.</exception>
    public string Render(IReadOnlyDictionary<string, object> variables, TemplateLimits limits, TimeProvider time)
    {
        var run = new TemplateRun(limits, time);
        var scope = new Scope(null, run);
        foreach (var (name, function) in Globals.All) scope.Set(name, function);
        foreach (var (name, value) in variables) scope.Set(name, value);
        try
        {
            return _body.Capture(scope.Inner());
        }
        catch (ChatTemplateException error)
        {
            throw error.At(run.Line);
        }
    }
}
