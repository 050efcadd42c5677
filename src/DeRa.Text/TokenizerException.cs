namespace DeRa.Text;

/// <summary>
/// A tokenizer or generation file is missing, malformed, or asks for something that is not implemented. The message
/// names the file, the field and what would be accepted.
/// </summary>
/// <param name="message">What is wrong, where, and what is accepted.</param>
/// <param name="inner">The parser's own error, where there is one.</param>
public sealed class TokenizerException(string message, Exception? inner = null) : Exception(message, inner);
