using Microsoft.Extensions.AI;

namespace DeRa.Client.Alignment;

/// <summary>What DeRa's responses tell beyond other servers'.</summary>
public static class ChatResponseAlignment
{
    /// <summary>Extends a whole response; its messages are the choices in their order.</summary>
    /// <param name="response">The response.</param>
    extension(ChatResponse response)
    {
        /// <summary>
        /// The effective strength of the first aligned model; null where another one weighs anything, and with a sweep or a schedule.
        /// </summary>
        public double? AlignmentStrength => response.AdditionalProperties.Find<double?>(FieldNames.Strength);

        /// <summary>The effective strengths by name; empty where there is one aligned model only.</summary>
        public IReadOnlyDictionary<string, double> AlignmentStrengths =>
            response.AdditionalProperties.Find<IReadOnlyDictionary<string, double>>(FieldNames.Strengths) ?? FieldNames.NoNumbers;

        /// <summary>The effective seed: sent back with the same request, it gives the same response.</summary>
        public long? Seed => response.AdditionalProperties.Find<long?>(FieldNames.Seed);

        /// <summary>All choices, with strengths, measures and rewards; empty where the response was made of a stream's updates.</summary>
        public IReadOnlyList<AlignedChoice> Choices =>
            response.AdditionalProperties.Find<IReadOnlyList<AlignedChoice>>(FieldNames.Choices) ?? [];
    }
}
