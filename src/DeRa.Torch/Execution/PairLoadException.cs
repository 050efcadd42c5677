namespace DeRa.Torch.Execution;

/// <summary>
/// The pair cannot be loaded as requested: an option is out of range, memory does not suffice, or a model does not run. The message
/// names the option or the model.
/// </summary>
/// <param name="message">What is wrong and what is allowed.</param>
/// <param name="innerException">What was caught, where something was.</param>
public sealed class PairLoadException(string message, Exception? innerException = null) : Exception(message, innerException);
