namespace DeRa.Engine.Requests;

/// <summary>
/// Tokens of a prompt that are scored at many strengths: each model runs them once, however many strengths there are.
/// </summary>
/// <param name="FirstToken">The first that is scored, from 1 to the last of the prompt; those before it are only read.</param>
/// <param name="Strengths">At least one mixture, each of models that weigh in the request's own strengths.</param>
public sealed record PromptScoring(int FirstToken, IReadOnlyList<AlignmentStrengths> Strengths);

/// <summary>
/// What one token scores: natural logarithms and nats, at temperature 1, before penalties, bias, masks and filters.
/// </summary>
/// <param name="Token">The token.</param>
/// <param name="LogProbs">Its log-probability under each of the mixtures, in their order.</param>
/// <param name="KlToReference">
/// KL(mixture ‖ reference model) at its place, of each mixture, at least 0; 0 where the reference is not active.
/// </param>
/// <param name="OfModels">Its log-probability under each model, the reference first; NaN where a model does not weigh.</param>
public sealed record StrengthScores(
    int Token, IReadOnlyList<double> LogProbs, IReadOnlyList<double> KlToReference, IReadOnlyList<double> OfModels);
