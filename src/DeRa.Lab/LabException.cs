namespace DeRa.Lab;

/// <summary>Something the user gave cannot be used; the message names the option, field or file and what is allowed.</summary>
internal sealed class LabException(string message, Exception? inner = null) : Exception(message, inner);
