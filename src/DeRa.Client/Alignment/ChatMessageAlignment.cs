using Microsoft.Extensions.AI;

namespace DeRa.Client.Alignment;

/// <summary>What a message to DeRa may say beyond other servers'.</summary>
public static class ChatMessageAlignment
{
    /// <summary>Extends a message.</summary>
    /// <param name="message">The message.</param>
    extension(ChatMessage message)
    {
        /// <summary>λ of the answer to this message, where the options name none; of the first aligned model.</summary>
        public double? AlignmentStrength
        {
            get => message.AdditionalProperties.Find<double?>(FieldNames.Strength);
            set => message.AdditionalProperties = message.AdditionalProperties.With(FieldNames.Strength, value);
        }
    }
}
