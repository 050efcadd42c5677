using System.Globalization;
using System.Text;
using DeRa.Text.Templates.Expressions;
using DeRa.Text.Templates.Values;

namespace DeRa.Text.Templates.Syntax;

/// <summary>Reads expressions, from the loosest operator to the tightest. Source: the grammar of jinja2/parser.py.</summary>
internal sealed class ExpressionParser(TokenReader tokens)
{
    private static readonly string[] Comparisons = ["==", "!=", "<=", ">=", "<", ">"];

    private static readonly Dictionary<string, Func<object, object, TemplateRun, object>> Products = new(StringComparer.Ordinal)
    {
        ["*"] = PythonOperators.Multiply,
        ["/"] = PythonOperators.Divide,
        ["//"] = PythonOperators.FloorDivide,
        ["%"] = PythonOperators.Modulo,
    };

    private readonly PostfixParser _postfix = new(tokens);

    /// <summary>An expression, or several with commas between them as a tuple.</summary>
    public Expression TupleOrOne(bool conditionals = true)
    {
        var line = tokens.Line;
        var items = new List<Expression> { One(conditionals) };
        if (!tokens.AtOperator(",")) return items[0];
        while (tokens.TakeIfOperator(","))
        {
            if (AtTupleEnd()) break;
            items.Add(One(conditionals));
        }
        return new Listing(items, isTuple: true, line);
    }

    /// <summary>One expression.</summary>
    /// <param name="conditionals">Whether it may be <c>a if b</c>: not where an <c>if</c> that follows means something else.</param>
    public Expression One(bool conditionals = true)
    {
        tokens.Descend();
        var expression = conditionals ? WithConditions() : Or();
        tokens.Ascend();
        return expression;
    }

    private bool AtTupleEnd() => tokens.Current.Kind is TokenKind.BlockEnd or TokenKind.VariableEnd || tokens.AtOperator(")");

    private Expression WithConditions()
    {
        var expression = Or();
        while (tokens.Current.IsName("if"))
        {
            var line = tokens.Take().Line;
            var condition = Or();
            var otherwise = tokens.TakeIfName("else") ? One() : null;
            expression = new Conditional(condition, expression, otherwise, line);
        }
        return expression;
    }

    private Expression Or()
    {
        var left = And();
        while (tokens.Current.IsName("or")) left = new Choice(left, AfterOperator(And, out var line), isAnd: false, line);
        return left;
    }

    private Expression And()
    {
        var left = Not();
        while (tokens.Current.IsName("and")) left = new Choice(left, AfterOperator(Not, out var line), isAnd: true, line);
        return left;
    }

    private Expression Not()
    {
        if (!tokens.Current.IsName("not")) return Compared();
        tokens.Descend();
        var operand = AfterOperator(Not, out var line);
        tokens.Ascend();
        return new Negation(operand, line);
    }

    private Expression Compared()
    {
        var line = tokens.Line;
        var first = Sum();
        var rest = new List<KeyValuePair<string, Expression>>();
        while (TakeComparison() is { } sign) rest.Add(KeyValuePair.Create(sign, Sum()));
        return rest.Count == 0 ? first : new Comparison(first, rest, line);
    }

    private string? TakeComparison()
    {
        if (tokens.TakeIfName("in")) return "in";
        if (tokens.Current.IsName("not") && tokens.Following.IsName("in"))
        {
            tokens.Take();
            tokens.Take();
            return "not in";
        }
        return tokens.Current.Kind == TokenKind.Operator && Comparisons.Contains(tokens.Current.Text) ? tokens.Take().Text : null;
    }

    private Expression Sum()
    {
        var left = Concatenated();
        while (tokens.AtOperator("+") || tokens.AtOperator("-"))
        {
            var sign = tokens.Take();
            left = new Arithmetic(left, Concatenated(), sign.Text == "+" ? PythonOperators.Add : PythonOperators.Subtract, sign.Line);
        }
        return left;
    }

    private Expression Concatenated()
    {
        var line = tokens.Line;
        var parts = new List<Expression> { Product() };
        while (tokens.TakeIfOperator("~")) parts.Add(Product());
        return parts.Count == 1 ? parts[0] : new Concatenation(parts, line);
    }

    private Expression Product()
    {
        var left = Power();
        while (tokens.Current.Kind == TokenKind.Operator && Products.TryGetValue(tokens.Current.Text, out var apply))
            left = new Arithmetic(left, AfterOperator(Power, out var line), apply, line);
        return left;
    }

    private Expression Power()
    {
        var left = Unary();
        while (tokens.AtOperator("**"))
            left = new Arithmetic(left, AfterOperator(() => Unary(), out var line), PythonOperators.Power, line);
        return left;
    }

    private Expression Unary(bool withFilters = true)
    {
        tokens.Descend();
        var expression = tokens.AtOperator("-") || tokens.AtOperator("+") ? SignedOperand() : Primary();
        expression = _postfix.Read(expression, this);
        if (withFilters) expression = _postfix.ReadFilters(expression, this);
        tokens.Ascend();
        return expression;
    }

    private Signed SignedOperand()
    {
        var sign = tokens.Take();
        return new Signed(Unary(withFilters: false), sign.Text == "-", sign.Line);
    }

    /// <summary>A name, a literal or something in brackets.</summary>
    public Expression Primary()
    {
        var token = tokens.Current;
        switch (token.Kind)
        {
            case TokenKind.Name: return Named(tokens.Take());
            case TokenKind.String: return new Constant(Strings(), token.Line);
            case TokenKind.Integer: return new Constant(Integer(tokens.Take()), token.Line);
            case TokenKind.Float: return new Constant(double.Parse(tokens.Take().Text, CultureInfo.InvariantCulture), token.Line);
            case TokenKind.Operator when token.Text is "(": return Parenthesized();
            case TokenKind.Operator when token.Text is "[": return List();
            case TokenKind.Operator when token.Text is "{": return Dict();
            default: throw tokens.Error($"expected an expression, got {token}");
        }
    }

    private static Expression Named(TemplateToken name) => name.Text switch
    {
        "true" or "True" => new Constant(true, name.Line),
        "false" or "False" => new Constant(false, name.Line),
        "none" or "None" => new Constant(None.Value, name.Line),
        _ => new Variable(name.Text, name.Line),
    };

    private string Strings()
    {
        var text = new StringBuilder();
        while (tokens.Current.Kind == TokenKind.String) text.Append(tokens.Take().Text);
        return text.ToString();
    }

    private static long Integer(TemplateToken token)
    {
        var radix = token.Text is ['0', 'x' or 'X', ..] ? 16 : token.Text is ['0', 'o' or 'O', ..] ? 8
            : token.Text is ['0', 'b' or 'B', ..] ? 2 : 10;
        try
        {
            return checked((long)Convert.ToUInt64(radix == 10 ? token.Text : token.Text[2..], radix));
        }
        catch (OverflowException)
        {
            throw new ChatTemplateException($"'{token.Text}' is an integer of more than 64 bits", token.Line);
        }
    }

    private Expression Parenthesized()
    {
        var line = tokens.Take().Line;
        var expression = tokens.AtOperator(")") ? new Listing([], isTuple: true, line) : TupleOrOne();
        tokens.ExpectOperator(")");
        return expression;
    }

    private Listing List()
    {
        var line = tokens.Take().Line;
        return new Listing(Separated("]", () => One()), isTuple: false, line);
    }

    private Mapping Dict()
    {
        var line = tokens.Take().Line;
        return new Mapping(Separated("}", () =>
        {
            var key = One();
            tokens.ExpectOperator(":");
            return KeyValuePair.Create(key, One());
        }), line);
    }

    private List<T> Separated<T>(string end, Func<T> read)
    {
        var items = new List<T>();
        while (!tokens.AtOperator(end))
        {
            if (items.Count > 0) tokens.ExpectOperator(",");
            if (tokens.AtOperator(end)) break;
            items.Add(read());
        }
        tokens.ExpectOperator(end);
        return items;
    }

    private Expression AfterOperator(Func<Expression> read, out int line)
    {
        line = tokens.Take().Line;
        return read();
    }
}
