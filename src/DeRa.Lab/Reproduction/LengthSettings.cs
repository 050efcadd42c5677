namespace DeRa.Lab.Reproduction;

/// <summary>The sizes of the length experiment. The defaults were chosen before the seeds that the Lab's README reports were run.</summary>
internal sealed record LengthSettings
{
    /// <summary>
    /// KL strength of the aligned model. The paper has 0.1 and a policy far from converged; here training converges, and 0.35
    /// gives the optimum the reward that the paper's aligned model had (share in range 0.72 from 0.13).
    /// </summary>
    public double Beta { get; init; } = 0.35;

    /// <summary>
    /// Strengths λ that are decoded at, in rising order; a model is retrained with β/λ for each but 0 (the SFT model) and 1 (the
    /// aligned one), which must be among them.
    /// </summary>
    public IReadOnlyList<double> Strengths { get; init; } = [0, 0.2, 0.4, 0.6, 0.8, 1, 1.2, 1.4, 1.6, 1.8, 2];

    /// <summary>Shortest completion in tokens that is rewarded.</summary>
    public int MinTokens { get; init; } = 40;

    /// <summary>Longest completion in tokens that is rewarded.</summary>
    public int MaxTokens { get; init; } = 50;

    /// <summary>Tokens at which completions are truncated.</summary>
    public int MaxCompletionTokens { get; init; } = 120;

    /// <summary>Tokens of a text's beginning that are the prompt.</summary>
    public int PromptTokens { get; init; } = 3;

    /// <summary>Each text that the model learns from is truncated at the first sentence end after 1 to this many tokens.</summary>
    public int TextTokens { get; init; } = 90;

    /// <summary>Texts drawn from the grammar; has no effect where the user gives texts.</summary>
    public int Texts { get; init; } = 4000;

    /// <summary>
    /// Tokens of the vocabulary: the bytes, the end token, and enough merges to make most words of the grammar one token.
    /// </summary>
    public int Vocabulary { get; init; } = 300;

    /// <summary>Width of the model.</summary>
    public int Hidden { get; init; } = 64;

    /// <summary>Layers of the model.</summary>
    public int Layers { get; init; } = 2;

    /// <summary>Attention heads.</summary>
    public int Heads { get; init; } = 4;

    /// <summary>Steps of SFT, 16 rows of 192 tokens each.</summary>
    public int SftSteps { get; init; } = 600;

    /// <summary>Steps of each alignment by policy gradient.</summary>
    public int AlignSteps { get; init; } = 160;

    /// <summary>Its highest learning rate.</summary>
    public double AlignLearningRate { get; init; } = 3e-4;

    /// <summary>Prompts of an alignment step.</summary>
    public int PromptsPerStep { get; init; } = 16;

    /// <summary>Completions of each prompt in an alignment step.</summary>
    public int Completions { get; init; } = 8;

    /// <summary>Prompts of the evaluation; the model has not learned from their texts.</summary>
    public int EvaluationPrompts { get; init; } = 64;

    /// <summary>Completions of each prompt in the evaluation, at each strength.</summary>
    public int EvaluationCompletions { get; init; } = 16;

    /// <summary>Steps of the over-optimised DPO model, with hard preferences.</summary>
    public int DpoSteps { get; init; } = 160;

    /// <summary>Its highest learning rate: a high one, as over-optimising takes.</summary>
    public double DpoLearningRate { get; init; } = 1e-3;

    /// <summary>β of the over-optimised DPO model.</summary>
    public double DpoBeta { get; init; } = 0.05;

    /// <summary>A minute's version of everything, to see that it runs.</summary>
    public static LengthSettings Small { get; } = new()
    {
        Strengths = [0, 0.5, 1, 2],
        MinTokens = 10,
        MaxTokens = 15,
        MaxCompletionTokens = 40,
        TextTokens = 25,
        Texts = 500,
        Hidden = 32,
        Layers = 1,
        Heads = 2,
        SftSteps = 60,
        AlignSteps = 20,
        PromptsPerStep = 8,
        EvaluationPrompts = 16,
        EvaluationCompletions = 8,
        DpoSteps = 20,
    };
}
