using Microsoft.Extensions.AI;

namespace DeRa.Client.Alignment;

/// <summary>What a piece of DeRa's streams tells beyond other servers'.</summary>
public static class ChatResponseUpdateAlignment
{
    /// <summary>Extends a piece of a response that is streamed.</summary>
    /// <param name="update">The piece.</param>
    extension(ChatResponseUpdate update)
    {
        /// <summary>By which the client changes the strength of the stream, or stops it.</summary>
        public string? GenerationId => update.AdditionalProperties.Find<string>(FieldNames.GenerationId);

        /// <summary>
        /// Which choice it belongs to, from 0; null where it belongs to none. Those of several choices come mixed: put them together by
        /// this.
        /// </summary>
        public int? ChoiceIndex => update.AdditionalProperties.Find<int?>(FieldNames.Index);

        /// <summary>
        /// The effective strength of the first aligned model, that of the choice where it has one of its own; null where another one weighs
        /// anything.
        /// </summary>
        public double? AlignmentStrength => update.AdditionalProperties.Find<double?>(FieldNames.Strength);

        /// <summary>The effective strengths by name; empty where there is one aligned model only.</summary>
        public IReadOnlyDictionary<string, double> AlignmentStrengths =>
            update.AdditionalProperties.Find<IReadOnlyDictionary<string, double>>(FieldNames.Strengths) ?? FieldNames.NoNumbers;

        /// <summary>The effective seed: sent back with the same request, it gives the same response.</summary>
        public long? Seed => update.AdditionalProperties.Find<long?>(FieldNames.Seed);

        /// <summary>The measures of the tokens of this piece, and in a choice's last one their sums; null where there are none.</summary>
        public ChoiceMeasures? Measures => update.AdditionalProperties.Find<ChoiceMeasures>(FieldNames.Measures);

        /// <summary>What the rewards that were asked for score the choice, in its last piece; null where one has no score for it.</summary>
        public IReadOnlyDictionary<string, double?> Rewards =>
            update.AdditionalProperties.Find<IReadOnlyDictionary<string, double?>>(FieldNames.Rewards) ?? FieldNames.NoScores;
    }
}
