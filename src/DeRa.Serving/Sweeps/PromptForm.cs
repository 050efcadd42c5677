namespace DeRa.Serving.Sweeps;

/// <summary>Files of prompts for whose answers there is a form of file too.</summary>
public enum PromptForm
{
    /// <summary>Any other.</summary>
    Other,

    /// <summary>MT-Bench's questions, with several turns.</summary>
    MtBench,

    /// <summary>AlpacaEval's instructions.</summary>
    AlpacaEval,
}
