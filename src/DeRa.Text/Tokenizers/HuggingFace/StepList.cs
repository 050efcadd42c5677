namespace DeRa.Text.Tokenizers.HuggingFace;

/// <summary>Reads a part of a tokenizer.json that is one step or, as a <c>Sequence</c>, several.</summary>
internal static class StepList
{
    /// <summary>The steps in the order in which they apply, none a <c>Sequence</c>; at most <see cref="TextGrowth.MostSteps"/>.</summary>
    /// <param name="part">The part.</param>
    /// <param name="items">The field of a <c>Sequence</c> that holds its steps.</param>
    /// <exception cref="TokenizerException">There are more, or one is malformed.</exception>
    public static IReadOnlyList<JsonField> Flatten(JsonField part, string items)
    {
        var steps = Steps(part, items).Take(TextGrowth.MostSteps + 1).ToList();
        return steps.Count <= TextGrowth.MostSteps ? steps : throw part.Error($"has more than {TextGrowth.MostSteps} steps");
    }

    private static IEnumerable<JsonField> Steps(JsonField part, string items) => part["type"].Text() == "Sequence"
        ? part.AllowOnly("type", items)[items].Items().SelectMany(step => Steps(step, items))
        : [part];
}
