using DeRa.Text.Templates.Expressions;
using DeRa.Text.Templates.Statements;
using DeRa.Text.Templates.Values;

namespace DeRa.Text.Templates.Syntax;

/// <summary>Reads a template's statements. Source: the grammar of jinja2/parser.py.</summary>
internal sealed class TemplateParser
{
    private readonly TokenReader _tokens;
    private readonly ExpressionParser _expressions;
    private readonly PostfixParser _postfix;
    private readonly TargetParser _targets;
    private readonly Dictionary<string, Func<int, Statement>> _tags;
    private int _loops;

    private TemplateParser(TokenReader tokens)
    {
        (_tokens, _expressions, _postfix, _targets) =
            (tokens, new ExpressionParser(tokens), new PostfixParser(tokens), new TargetParser(tokens));
        _tags = new Dictionary<string, Func<int, Statement>>(StringComparer.Ordinal)
        {
            ["break"] = line => Jump(Flow.Break, "break", line),
            ["call"] = CallBlock,
            ["continue"] = line => Jump(Flow.Continue, "continue", line),
            ["filter"] = FilterBlock,
            ["for"] = For,
            ["generation"] = line => new Scoped(BodyTo("endgeneration"), ownVariables: true, line),
            ["if"] = If,
            ["macro"] = MacroDefinition,
            ["set"] = Set,
            ["with"] = With,
        };
    }

    /// <exception cref="ChatTemplateException">The template does not follow the grammar, or uses what is not known here.</exception>
    public static Body Parse(string source)
    {
        var parser = new TemplateParser(new TokenReader(TemplateLexer.Read(source)));
        return parser.Statements();
    }

    /// <summary>Statements up to a tag of one of these names, which is then the current token; up to the end where none is named.</summary>
    private Body Statements(params string[] ends)
    {
        _tokens.Descend();
        var line = _tokens.Line;
        var statements = new List<Statement>();
        while (_tokens.Current.Kind != TokenKind.End)
        {
            if (_tokens.Current.Kind != TokenKind.BlockBegin)
                statements.Add(Output());
            else if (_tokens.Following.Kind == TokenKind.Name && ends.Contains(_tokens.Following.Text))
                return Ended(statements);
            else
                statements.Add(Tag());
        }
        if (ends.Length > 0) throw new ChatTemplateException($"the block that begins here lacks its {string.Join(" or ", ends)}", line);
        return Ended(statements);
    }

    private Body Ended(List<Statement> statements)
    {
        _tokens.Ascend();
        if (_tokens.Current.Kind == TokenKind.BlockBegin) _tokens.Take();
        return new Body(statements);
    }

    private Body BodyTo(string end)
    {
        EndTag();
        var body = Statements(end);
        _tokens.Take();
        return body;
    }

    private Statement Output()
    {
        var token = _tokens.Take();
        if (token.Kind == TokenKind.Data) return new TextOutput(token.Text, token.Line);
        var expression = _expressions.TupleOrOne();
        _tokens.Expect(TokenKind.VariableEnd, "'}}'");
        return new ExpressionOutput(expression, token.Line);
    }

    private Statement Tag()
    {
        _tokens.Take();
        var name = _tokens.Expect(TokenKind.Name, "a tag's name");
        if (!_tags.TryGetValue(name.Text, out var read))
            throw new ChatTemplateException(
                $"the tag '{name.Text}' is not known here (known: {string.Join(", ", _tags.Keys)}, raw)", name.Line);
        var statement = read(name.Line);
        EndTag();
        return statement;
    }

    private void EndTag() => _tokens.Expect(TokenKind.BlockEnd, "'%}'");

    private If If(int line)
    {
        var branches = new List<KeyValuePair<Expression, Body>>();
        do
        {
            var condition = _expressions.TupleOrOne(conditionals: false);
            EndTag();
            branches.Add(KeyValuePair.Create(condition, Statements("elif", "else", "endif")));
        }
        while (_tokens.TakeIfName("elif"));
        return new If(branches, Otherwise("endif"), line);
    }

    /// <summary>The content of an else, where that is the tag at hand; takes the end's name.</summary>
    private Body Otherwise(string end) => _tokens.Take().Text == "else" ? BodyTo(end) : Body.Empty;

    private For For(int line)
    {
        var target = _targets.Read();
        _tokens.ExpectName("in");
        var sequence = _expressions.TupleOrOne(conditionals: false);
        var condition = _tokens.TakeIfName("if") ? _expressions.One() : null;
        if (_tokens.Current.IsName("recursive")) throw _tokens.Error("'recursive' loops are not implemented");
        EndTag();
        _loops++;
        var body = Statements("endfor", "else");
        _loops--;
        return new For(target, sequence, condition, body, Otherwise("endfor"), line);
    }

    private Jump Jump(Flow flow, string name, int line) =>
        _loops > 0 ? new Jump(flow, line) : throw new ChatTemplateException($"'{name}' stands outside of a loop", line);

    private Statement Set(int line)
    {
        var target = _targets.Read(withAttributes: true);
        if (_tokens.TakeIfOperator("=")) return new Assignment(target, _expressions.TupleOrOne(), line);
        var filter = _postfix.Filters(null, _expressions);
        return new BlockAssignment(target, filter, OutsideLoops(() => BodyTo("endset")), line);
    }

    private FilterBlock FilterBlock(int line)
    {
        var filter = _postfix.Filters(null, _expressions, atName: true)!;
        return new FilterBlock(filter, OutsideLoops(() => BodyTo("endfilter")), line);
    }

    private With With(int line)
    {
        var variables = new List<KeyValuePair<Target, Expression>>();
        while (_tokens.Current.Kind != TokenKind.BlockEnd)
        {
            if (variables.Count > 0) _tokens.ExpectOperator(",");
            var target = _targets.Read();
            _tokens.ExpectOperator("=");
            variables.Add(KeyValuePair.Create(target, _expressions.One()));
        }
        return new With(variables, BodyTo("endwith"), line);
    }

    private MacroDefinition MacroDefinition(int line)
    {
        var name = _tokens.Expect(TokenKind.Name, "the macro's name").Text;
        return new MacroDefinition(Macro(name, Parameters(), "endmacro"), line);
    }

    private CallBlock CallBlock(int line)
    {
        var parameters = _tokens.AtOperator("(") ? Parameters() : [];
        var call = _expressions.One() as Call ?? throw new ChatTemplateException("expected a call after 'call'", line);
        return new CallBlock(call, Macro("caller", parameters, "endcall"), line);
    }

    private Macro Macro(string name, List<KeyValuePair<string, Expression?>> parameters, string end)
    {
        var first = _tokens.Place;
        var body = OutsideLoops(() => BodyTo(end));
        return new Macro(name, parameters, body, _tokens.NamesSince(first));
    }

    private List<KeyValuePair<string, Expression?>> Parameters()
    {
        var parameters = new List<KeyValuePair<string, Expression?>>();
        _tokens.ExpectOperator("(");
        while (!_tokens.AtOperator(")"))
        {
            if (parameters.Count > 0) _tokens.ExpectOperator(",");
            var name = _tokens.Expect(TokenKind.Name, "a parameter's name").Text;
            var otherwise = _tokens.TakeIfOperator("=") ? _expressions.One() : null;
            if (otherwise is null && parameters.Count > 0 && parameters[^1].Value is not null)
                throw _tokens.Error("a parameter without default follows one with a default");
            parameters.Add(KeyValuePair.Create(name, otherwise));
        }
        _tokens.ExpectOperator(")");
        return parameters;
    }

    /// <summary>What is rendered to a text of its own cannot end a loop around it.</summary>
    private Body OutsideLoops(Func<Body> read)
    {
        var loops = _loops;
        _loops = 0;
        var body = read();
        _loops = loops;
        return body;
    }
}
