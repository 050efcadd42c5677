namespace DeRa.Client.Alignment;

/// <summary>Where a change of strength took effect in a choice.</summary>
/// <param name="Index">The choice, from 0.</param>
/// <param name="FromToken">The first of its tokens, from 0, that was drawn at the new strength; null where it had ended.</param>
public sealed record ChangedChoice(int Index, int? FromToken);
