using DeRa.Text.Templates.Values;

namespace DeRa.Text.Templates.Expressions;

/// <summary>Python's arithmetic on two values.</summary>
internal sealed class Arithmetic(
    Expression left, Expression right, Func<object, object, TemplateRun, object> apply, int line) : Expression(line)
{
    protected override object Compute(Scope scope) => apply(left.Evaluate(scope), right.Evaluate(scope), scope.Run);
}

/// <summary>a ~ b ~ c.</summary>
internal sealed class Concatenation(IReadOnlyList<Expression> parts, int line) : Expression(line)
{
    protected override object Compute(Scope scope) =>
        PythonOperators.Concatenate([.. parts.Select(part => part.Evaluate(scope))], scope.Run);
}

/// <summary>+a or -a.</summary>
internal sealed class Signed(Expression operand, bool negative, int line) : Expression(line)
{
    protected override object Compute(Scope scope) =>
        PythonOperators.Multiply(negative ? -1L : 1L, Number(operand.Evaluate(scope)), scope.Run);

    private static object Number(object value) => value is not (string or ListValue) ? value
        : throw new ChatTemplateException($"bad operand type for a sign: '{PythonType.Name(value)}'");
}

/// <summary>not a.</summary>
internal sealed class Negation(Expression operand, int line) : Expression(line)
{
    protected override object Compute(Scope scope) => !PythonComparison.IsTrue(operand.Evaluate(scope));
}

/// <summary>a and b, a or b: the operand that decides.</summary>
internal sealed class Choice(Expression left, Expression right, bool isAnd, int line) : Expression(line)
{
    protected override object Compute(Scope scope)
    {
        var first = left.Evaluate(scope);
        return PythonComparison.IsTrue(first) == isAnd ? right.Evaluate(scope) : first;
    }
}

/// <summary>a if condition else b.</summary>
internal sealed class Conditional(Expression condition, Expression then, Expression? otherwise, int line) : Expression(line)
{
    protected override object Compute(Scope scope) => PythonComparison.IsTrue(condition.Evaluate(scope))
        ? then.Evaluate(scope)
        : otherwise?.Evaluate(scope) ?? new Undefined("the inline if-expression evaluated to false and no else section was defined.");
}

/// <summary>a &lt; b &lt;= c: true where every neighbouring pair holds.</summary>
internal sealed class Comparison(
    Expression first, IReadOnlyList<KeyValuePair<string, Expression>> rest, int line) : Expression(line)
{
    protected override object Compute(Scope scope)
    {
        var left = first.Evaluate(scope);
        foreach (var (sign, operand) in rest)
        {
            var right = operand.Evaluate(scope);
            if (!Holds(left, sign, right, scope.Run)) return false;
            left = right;
        }
        return true;
    }

    private static bool Holds(object left, string sign, object right, TemplateRun run) => sign switch
    {
        "==" => PythonComparison.AreEqual(left, right, run),
        "!=" => !PythonComparison.AreEqual(left, right, run),
        "in" => PythonComparison.Contains(right, left, run),
        "not in" => !PythonComparison.Contains(right, left, run),
        "<" => PythonComparison.Order(left, right, sign, run) < 0,
        "<=" => PythonComparison.Order(left, right, sign, run) <= 0,
        ">" => PythonComparison.Order(left, right, sign, run) > 0,
        _ => PythonComparison.Order(left, right, sign, run) >= 0,
    };
}
