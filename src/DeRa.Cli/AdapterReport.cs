using DeRa.Torch.Adapters;
using DeRa.Torch.Models;
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
        if (adapter.Rank > 0)
            table.Add("adapter", FormattableString.Invariant(
                $"LoRA of rank {adapter.Rank}, alpha {adapter.Alpha}{(adapter.IsRankStabilized ? ", rank-stabilized" : "")}"));
        if (adapter.BaseModel is { } trainedOn) table.Add("trained on", trainedOn);
        if (adapter.ParameterCount > 0)
            table.Add("modules", string.Join(", ", adapter.Modules))
                .Add("parameters", Number(adapter.ParameterCount))
                .AddBytes("weights", bytes => adapter.ParameterCount * bytes);
        if (adapter.ChatTemplate is { } template) table.Add("chat template", ModelReport.Describe(template));
        foreach (var problem in adapter.Problems) table.Add("problem", problem);
        if (reference is not null)
            table.Add("can be mixed", adapter.Problems.Count == 0 && reference.Problems.Count == 0 ? "yes" : "no");
        return table.ToString();
    }
}
