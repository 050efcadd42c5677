using Microsoft.Extensions.AI;

namespace DeRa.Client.Alignment;

/// <summary>
/// What a request to DeRa may ask for beyond other servers. The values lie in <see cref="ChatOptions.AdditionalProperties"/> under the
/// names of the request's fields; any other field of the API (such as <c>min_p</c>) may be put there too and is sent. At most one of
/// <c>AlignmentStrength</c>, <c>AlignmentStrengths</c>, <c>AlignmentSweep</c> and <c>AlignmentSchedule</c> may be set.
/// </summary>
public static class ChatOptionsAlignment
{
    /// <summary>Extends the options of a request.</summary>
    /// <param name="options">The options.</param>
    extension(ChatOptions options)
    {
        /// <summary>
        /// λ: 0 = the reference model, 1 = the aligned model, between them and beyond their mixture. The server sets the range, usually
        /// −1 to 10. Null = what the last message that has a strength says, else the model's name, else 1.
        /// </summary>
        public double? AlignmentStrength
        {
            get => options.AdditionalProperties.Find<double?>(FieldNames.Strength);
            set => options.AdditionalProperties = options.AdditionalProperties.With(FieldNames.Strength, value);
        }

        /// <summary>
        /// λ of each aligned model, by name; those not named weigh 0, the reference model 1 minus their sum. Each and the sum are in the
        /// range of <c>AlignmentStrength</c>.
        /// </summary>
        public IReadOnlyDictionary<string, double>? AlignmentStrengths
        {
            get => options.AdditionalProperties.Find<IReadOnlyDictionary<string, double>>(FieldNames.Strengths);
            set => options.AdditionalProperties = options.AdditionalProperties.With(FieldNames.Strengths, value);
        }

        /// <summary>
        /// 1 to 32 strengths with choices at each of them, by the same random draws; the choices come strength by strength.
        /// </summary>
        public IReadOnlyList<double>? AlignmentSweep
        {
            get => options.AdditionalProperties.Find<IReadOnlyList<double>>(FieldNames.Sweep);
            set => options.AdditionalProperties = options.AdditionalProperties.With(FieldNames.Sweep, value);
        }

        /// <summary>Strengths that depend on how many tokens have been generated.</summary>
        public AlignmentSchedule? AlignmentSchedule
        {
            get => options.AdditionalProperties.Find<AlignmentSchedule>(FieldNames.Schedule);
            set => options.AdditionalProperties = options.AdditionalProperties.With(FieldNames.Schedule, value);
        }

        /// <summary>Asks for measures; null = none.</summary>
        public MeasureRequest? Measures
        {
            get => options.AdditionalProperties.Find<MeasureRequest>(FieldNames.Measures);
            set => options.AdditionalProperties = options.AdditionalProperties.With(FieldNames.Measures, value);
        }

        /// <summary>Rewards that score each choice, by the names that the server gives them; at most 16.</summary>
        public IReadOnlyList<string>? Rewards
        {
            get => options.AdditionalProperties.Find<IReadOnlyList<string>>(FieldNames.Rewards);
            set => options.AdditionalProperties = options.AdditionalProperties.With(FieldNames.Rewards, value);
        }

        /// <summary>Choices at each strength; 1 to 128, by the server's limit. Null = 1.</summary>
        public int? ChoiceCount
        {
            get => options.AdditionalProperties.Find<int?>(FieldNames.ChoiceCount);
            set => options.AdditionalProperties = options.AdditionalProperties.With(FieldNames.ChoiceCount, value);
        }
    }
}
