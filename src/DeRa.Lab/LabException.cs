namespace DeRa.Lab;

/// <summary>Bad input; the message names the option, field or file and what is allowed.</summary>
internal sealed class LabException(string message, Exception? inner = null) : Exception(message, inner);
