namespace DeRa.Text.Tokenizers.HuggingFace;

/// <summary>Reads the <c>post_processor</c> of a tokenizer.json: which special tokens surround a text.</summary>
internal static class PostProcessorReader
{
    private const string Implemented = "TemplateProcessing, ByteLevel, Sequence";

    public static SurroundingTokens Read(JsonField? field)
    {
        if (field is not { } processor) return SurroundingTokens.None;
        return processor["type"].Text() switch
        {
            "TemplateProcessing" => ReadTemplate(processor.AllowOnly("type", "single", "pair", "special_tokens")),
            // It trims offsets, which nobody asks for here.
            "ByteLevel" => SurroundingTokens.None,
            "Sequence" => StepList.Flatten(processor, "processors")
                .Select(item => Read(item)).Aggregate(SurroundingTokens.None, Surround),
            var other => throw processor.Refuse($"the post-processor '{other}'", Implemented),
        };
    }

    private static SurroundingTokens Surround(SurroundingTokens inner, SurroundingTokens outer) =>
        new([.. outer.Before, .. inner.Before], [.. inner.After, .. outer.After]);

    private static SurroundingTokens ReadTemplate(JsonField template)
    {
        List<int> before = [], after = [];
        var current = before;
        foreach (var item in template["single"].Items())
        {
            if (item.Find("SpecialToken") is { } special)
            {
                var ids = template["special_tokens"][special["id"].Text()]["ids"];
                current.AddRange(ids.Items().Select(id => id.Integer(0, TokenTable.HighestId)));
                if (before.Count + after.Count > TextGrowth.MostSteps)
                    throw template["single"].Error($"puts more than {TextGrowth.MostSteps} tokens around a text");
            }
            else if (item["Sequence"]["id"].Text() == "A" && current == before)
            {
                current = after;
            }
            else
            {
                throw item.Refuse("this sequence", "sequence A, once");
            }
        }
        return current == after ? new SurroundingTokens(before, after) : throw template["single"].Error("lacks the sequence A");
    }
}
