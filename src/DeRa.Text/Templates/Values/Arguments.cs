namespace DeRa.Text.Templates.Values;

/// <summary>The arguments of a call, by place and by name.</summary>
internal sealed record Arguments(IReadOnlyList<object> Places, IReadOnlyList<KeyValuePair<string, object>> Names)
{
    public static readonly Arguments Empty = new([], []);

    /// <summary>Puts the arguments in the order of the parameters; null where one is not given.</summary>
    /// <param name="function">For errors.</param>
    /// <param name="required">How many parameters, from the first, must be given.</param>
    /// <param name="parameters">The parameters' names.</param>
    public object?[] Bind(string function, int required, params string[] parameters)
    {
        if (Places.Count > parameters.Length)
            throw new ChatTemplateException($"{function}() takes at most {parameters.Length} arguments ({Places.Count} given)");
        var bound = new object?[parameters.Length];
        for (var i = 0; i < Places.Count; i++) bound[i] = Places[i];
        foreach (var (name, value) in Names)
        {
            var place = Array.IndexOf(parameters, name);
            if (place < 0) throw new ChatTemplateException($"{function}() has no argument '{name}'{Known(parameters)}");
            if (bound[place] is not null) throw new ChatTemplateException($"{function}() got the argument '{name}' twice");
            bound[place] = value;
        }
        for (var i = 0; i < required; i++)
            if (bound[i] is null) throw new ChatTemplateException($"{function}() lacks the argument '{parameters[i]}'");
        return bound;
    }

    public void BindNone(string function) => Bind(function, 0);

    /// <summary>The arguments after the first few places.</summary>
    public Arguments Skip(int places) => new([.. Places.Skip(places)], Names);

    private static string Known(string[] parameters) =>
        parameters.Length == 0 ? "" : $" (it has {string.Join(", ", parameters)})";
}
