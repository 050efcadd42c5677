using DeRa.Text.Templates.Expressions;
using DeRa.Text.Templates.Library;

namespace DeRa.Text.Templates.Syntax;

/// <summary>Reads what follows an operand: attributes, subscripts, calls, filters and tests.</summary>
internal sealed class PostfixParser(TokenReader tokens)
{
    public Expression Read(Expression operand, ExpressionParser expressions)
    {
        while (true)
        {
            if (tokens.AtOperator(".")) operand = Attribute(operand);
            else if (tokens.AtOperator("[")) operand = Subscript(operand, expressions);
            else if (tokens.AtOperator("(")) operand = Call(operand, expressions);
            else return operand;
        }
    }

    public Expression ReadFilters(Expression operand, ExpressionParser expressions)
    {
        while (true)
        {
            if (tokens.AtOperator("|")) operand = Filters(operand, expressions)!;
            else if (tokens.Current.IsName("is")) operand = Test(operand, expressions);
            else if (tokens.AtOperator("(")) operand = Call(operand, expressions);
            else return operand;
        }
    }

    /// <summary>A chain of filters; null where none is there.</summary>
    /// <param name="operand">What the first filters; null = what a block makes.</param>
    /// <param name="expressions">Reads the arguments.</param>
    /// <param name="atName">Whether the first stands without its bar.</param>
    public FilterUse? Filters(Expression? operand, ExpressionParser expressions, bool atName = false)
    {
        while (atName || tokens.TakeIfOperator("|"))
        {
            atName = false;
            var name = tokens.Expect(TokenKind.Name, "a filter's name");
            var filter = Library.Filters.Find(name.Text, name.Line);
            operand = new FilterUse(operand, filter, tokens.AtOperator("(") ? Arguments(expressions) : CallArguments.None, name.Line);
        }
        return operand as FilterUse;
    }

    public Call Call(Expression callee, ExpressionParser expressions)
    {
        var line = tokens.Line;
        return new Call(callee, Arguments(expressions), line);
    }

    private Expression Attribute(Expression owner)
    {
        var line = tokens.Take().Line;
        if (tokens.Current.Kind == TokenKind.Name) return new AttributeAccess(owner, tokens.Take().Text, line);
        if (tokens.Current.Kind != TokenKind.Integer) throw tokens.Error($"expected a name or number, got {tokens.Current}");
        return new ItemAccess(owner, new ExpressionParser(tokens).Primary(), line);
    }

    private Expression Subscript(Expression owner, ExpressionParser expressions)
    {
        var line = tokens.Take().Line;
        var start = tokens.AtOperator(":") ? null : expressions.TupleOrOne();
        if (start is not null && tokens.TakeIfOperator("]")) return new ItemAccess(owner, start, line);
        tokens.ExpectOperator(":");
        var stop = tokens.AtOperator(":") || tokens.AtOperator("]") ? null : expressions.One();
        var step = tokens.TakeIfOperator(":") && !tokens.AtOperator("]") ? expressions.One() : null;
        tokens.ExpectOperator("]");
        return new SliceAccess(owner, start, stop, step, line);
    }

    private Expression Test(Expression operand, ExpressionParser expressions)
    {
        var line = tokens.Take().Line;
        var negated = tokens.TakeIfName("not");
        var name = tokens.Expect(TokenKind.Name, "a test's name");
        var use = new TestUse(operand, Tests.Find(name.Text, name.Line), TestArguments(expressions), line);
        return negated ? new Negation(use, line) : use;
    }

    private CallArguments TestArguments(ExpressionParser expressions)
    {
        if (tokens.AtOperator("(")) return Arguments(expressions);
        if (tokens.Current.IsName("is")) throw tokens.Error("tests cannot be chained with 'is'");
        var isOperand = tokens.Current.Kind is TokenKind.String or TokenKind.Integer or TokenKind.Float
            || tokens.AtOperator("[") || tokens.AtOperator("{")
            || (tokens.Current.Kind == TokenKind.Name && tokens.Current.Text is not ("else" or "or" or "and"));
        return isOperand ? CallArguments.None with { Places = [Read(expressions.Primary(), expressions)] } : CallArguments.None;
    }

    private CallArguments Arguments(ExpressionParser expressions)
    {
        tokens.ExpectOperator("(");
        var (places, names) = (new List<Expression>(), new List<KeyValuePair<string, Expression>>());
        Expression? morePlaces = null, moreNames = null;
        for (var first = true; !tokens.AtOperator(")"); first = false)
        {
            if (!first) tokens.ExpectOperator(",");
            if (tokens.AtOperator(")")) break;
            if (morePlaces is null && moreNames is null && tokens.TakeIfOperator("*")) morePlaces = expressions.One();
            else if (moreNames is null && tokens.TakeIfOperator("**")) moreNames = expressions.One();
            else if (moreNames is null && AtNamed()) names.Add(Named(expressions));
            else if (morePlaces is null && moreNames is null && names.Count == 0) places.Add(expressions.One());
            else throw tokens.Error("arguments by place must come before those by name");
        }
        tokens.ExpectOperator(")");
        return new CallArguments(places, names, morePlaces, moreNames);
    }

    private bool AtNamed() => tokens.Current.Kind == TokenKind.Name && tokens.Following.IsOperator("=");

    private KeyValuePair<string, Expression> Named(ExpressionParser expressions)
    {
        var name = tokens.Take().Text;
        tokens.ExpectOperator("=");
        return KeyValuePair.Create(name, expressions.One());
    }
}
