namespace DeRa.Serving.Rewards;

/// <summary>A reward is unknown, or gave no usable score. The message is meant for the user.</summary>
public sealed class RewardException(string message, Exception? inner = null) : Exception(message, inner);
