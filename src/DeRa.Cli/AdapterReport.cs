using DeRa.Serving.Inspection;
using static DeRa.Cli.FactTable;

namespace DeRa.Cli;

/// <summary>What <c>dera inspect</c> says of an adapter.</summary>
internal static class AdapterReport
{
    /// <summary>Lines without a last line end.</summary>
    /// <param name="name">The adapter as the user named it.</param>
    /// <param name="adapter">What was found.</param>
    /// <param name="reference">The model before it, which it is to be served over; null = none was named.</param>
    public static string Of(string name, AdapterInspection adapter, ModelInspection? reference)
    {
        var table = new FactTable(name);
        if (adapter.Lora.Rank > 0)
            table.Add("adapter", FormattableString.Invariant($"LoRA of rank {adapter.Lora.Rank}, alpha {adapter.Lora.Alpha}")
                + (adapter.Lora.IsRankStabilized ? ", rank-stabilized" : ""));
        if (adapter.Lora.BaseModel is { } trainedOn) table.Add("trained on", trainedOn);
        if (adapter.Lora.ParameterCount > 0)
            table.Add("modules", string.Join(", ", adapter.Lora.Modules))
                .Add("parameters", Number(adapter.Lora.ParameterCount))
                .AddBytes("weights", bytes => adapter.Lora.ParameterCount * bytes);
        if (adapter.ChatTemplate is { } template) table.Add("chat template", ModelReport.Describe(template));
        foreach (var problem in adapter.Problems) table.Add("problem", problem);
        if (reference is not null)
            table.Add("can be mixed", adapter.Problems.Count == 0 && reference.Problems.Count == 0 ? "yes" : "no");
        return table.ToString();
    }
}
