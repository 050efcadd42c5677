namespace DeRa.Serving.Requests;

/// <summary>The request field that asks for rewards, and its check.</summary>
public static class RewardFields
{
    /// <summary>Rewards of a request at most.</summary>
    public const int MaxRewards = 16;

    /// <summary><c>rewards</c>.</summary>
    public static RequestField Rewards { get; } = new("rewards",
        context => new ListForm(new TextForm(), Most(context)), context => "Rewards that score each choice, by name: "
            + (context.Names.Rewards.Count == 0 ? "this server has none" : string.Join(", ", context.Names.Rewards))
            + ". A stream has the scores in each choice's last chunk. Not with echo.")
    {
        Reader = (source, field, input) => input with { Rewards = source.Texts(field) },
    };

    /// <summary>Checks the names.</summary>
    /// <param name="input">What was asked for.</param>
    /// <param name="context">What is served.</param>
    /// <returns>The names, each once.</returns>
    /// <exception cref="InvalidRequestException">One is none of the server's, there are too many, or prompts are echoed.</exception>
    internal static IReadOnlyList<string> Checked(GenerationInput input, FieldContext context)
    {
        if (input.Rewards is not { Count: > 0 } names) return [];
        if (context.Names.Rewards.Count == 0)
            throw new InvalidRequestException(Rewards.Name, $"'{Rewards.Name}' must be empty: this server has no rewards.");
        FieldCount.Check(Rewards.Name, names.Count, Most(context), "names");
        for (var i = 0; i < names.Count; i++)
            if (!context.Names.Rewards.Contains(names[i]))
                throw new InvalidRequestException($"{Rewards.Name}[{i}]",
                    $"'{Rewards.Name}' names '{Excerpt.Of(names[i])}', which is none of the server's: "
                    + $"{string.Join(", ", context.Names.Rewards)}.");
        if (input.Echo)
            throw new InvalidRequestException(Rewards.Name,
                $"'{Rewards.Name}' does not work with 'echo': it is the completion that is scored.");
        return [.. names.Distinct()];
    }

    private static int Most(FieldContext context) => context.Names.Rewards.Count == 0 ? 0 : MaxRewards;
}
