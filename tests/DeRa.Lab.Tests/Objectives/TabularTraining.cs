using DeRa.Lab.Objectives;
using static TorchSharp.torch;

namespace DeRa.Lab.Tests.Objectives;

/// <summary>Trains a table from the reference with an objective's own loss on sampled completions: Adam, rate falling to 0.</summary>
internal sealed record TabularTraining(TabularSpace Space, IObjective Objective)
{
    public int PromptsPerBatch { get; init; } = 32;

    public int CompletionsPerPrompt { get; init; } = 8;

    public int Steps { get; init; } = 500;

    public double LearningRate { get; init; } = 0.05;

    public int Seed { get; init; } = 1;

    /// <summary>Whether the reference draws the completions; otherwise the policy draws its own.</summary>
    public bool FromReference { get; init; }

    /// <summary>Whether a prompt's completions are drawn at equal steps of probability, nearly the exact expectation.</summary>
    public bool Stratified { get; init; }

    /// <summary>Trains and returns the table; <paramref name="watch"/> sees it after each step.</summary>
    public double[] Run(Action<int, double[]>? watch = null)
    {
        using var scope = NewDisposeScope();
        var random = new Random(Seed);
        var table = new TorchSharp.Modules.Parameter(Space.Table(Space.ReferenceLogits));
        var optimizer = new TableAdam(table);
        for (var step = 0; step < Steps; step++)
        {
            Differentiate(table, random, step);
            optimizer.Step(LearningRate * (1 - (double)step / Steps));
            watch?.Invoke(step, Values(table));
        }
        return Values(table);
    }

    /// <summary>The largest total variation, over prompts, between a table and what is expected of it.</summary>
    public static double Distance(TabularSpace space, double[] logits, Func<int, double[]> expected) => Enumerable.Range(0, space.Prompts)
        .Max(prompt => ClosedForm.TotalVariation(space.Probabilities(logits, prompt), expected(prompt)));

    private void Differentiate(Tensor table, Random random, int step)
    {
        using var scope = NewDisposeScope();
        var proposal = FromReference ? Space.Table(Space.ReferenceLogits) : table.detach();
        Objective.Loss(Space.Batch(table, proposal, Draw(random, Values(proposal)), CompletionsPerPrompt, step)).backward();
    }

    private int[] Draw(Random random, double[] proposal)
    {
        var probabilities = Enumerable.Range(0, Space.Prompts).Select(prompt => Space.Probabilities(proposal, prompt)).ToArray();
        return [.. Enumerable.Range(0, PromptsPerBatch).SelectMany(row => Draw(random, row % Space.Prompts, probabilities))];
    }

    private int[] Draw(Random random, int prompt, double[][] probabilities)
    {
        var offset = random.NextDouble();
        return [.. Enumerable.Range(0, CompletionsPerPrompt).Select(i =>
            prompt * Space.Count + At(probabilities[prompt], Stratified ? (i + offset) / CompletionsPerPrompt : random.NextDouble()))];
    }

    private static int At(double[] probabilities, double quantile)
    {
        var index = 0;
        while (index < probabilities.Length - 1 && (quantile -= probabilities[index]) >= 0) index++;
        return index;
    }

    private static double[] Values(Tensor table)
    {
        using var scope = NewDisposeScope();
        return table.detach().to(ScalarType.Float64).data<double>().ToArray();
    }
}
