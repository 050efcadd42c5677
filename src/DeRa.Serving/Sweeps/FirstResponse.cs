namespace DeRa.Serving.Sweeps;

/// <summary>An answer after which a conversation goes on.</summary>
/// <param name="Text">The answer.</param>
/// <param name="Strength">The strength, of all answers.</param>
/// <param name="Seed">The seed of the answers that follow.</param>
internal sealed record FirstResponse(string Text, double Strength, long Seed);
