namespace DeRa.Lab.Data;

/// <summary>Which fields of a <c>.jsonl</c> file's lines are what.</summary>
/// <param name="Prompt">The field that holds the prompt.</param>
/// <param name="Completion">The field that holds what is learned.</param>
/// <param name="RequiresPrompt">Whether a line must have a prompt: one that is asked for by name and nowhere to be found is a slip.</param>
internal sealed record DocumentFields(string Prompt = "prompt", string Completion = "completion", bool RequiresPrompt = false);
