namespace DeRa.Lab.Rewards;

/// <summary>A reward is not known, or gave no usable scores. The message is meant for the user.</summary>
public sealed class RewardException(string message, Exception? inner = null) : Exception(message, inner);
