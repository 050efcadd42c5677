using DeRa.Text;
using DeRa.Text.Chat;
using DeRa.Torch.Adapters;
using DeRa.Torch.Families;

namespace DeRa.Serving.Inspection;

/// <summary>What a PEFT folder says of itself: its LoRA configuration and weights, its chat template. No weights are read.</summary>
public sealed record AdapterInspection
{
    /// <summary>Configuration and stored weights.</summary>
    public LoraInspection Lora { get; private init; } = new();

    /// <summary>The folder's own chat template, which goes before the base model's; null = none.</summary>
    public ChatTemplate? ChatTemplate { get; private init; }

    /// <summary>Why it cannot be served over that model, as loading it would say; empty where it can.</summary>
    public IReadOnlyList<string> Problems { get; private init; } = [];

    /// <summary>
    /// Reads configuration and header, and those weights that the base model holds too. What is wrong becomes a problem and is not
    /// thrown.
    /// </summary>
    /// <param name="folder">A PEFT folder.</param>
    /// <param name="baseModel">The model that it is to be served over; null = unknown, then only the folder itself is checked.</param>
    /// <param name="needsWeights">False where it is no problem that there are none.</param>
    public static AdapterInspection Read(string folder, CheckpointInspection? baseModel, bool needsWeights = true)
    {
        var lora = LoraInspection.Read(folder, baseModel, needsWeights);
        try
        {
            return new AdapterInspection
            {
                Lora = lora,
                ChatTemplate = ChatTemplate.Load(folder, TimeProvider.System),
                Problems = lora.Problem is { } problem ? [problem] : [],
            };
        }
        catch (TokenizerException problem)
        {
            return new AdapterInspection { Problems = [lora.Problem ?? problem.Message] };
        }
    }
}
