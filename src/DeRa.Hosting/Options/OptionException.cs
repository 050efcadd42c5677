namespace DeRa.Hosting.Options;

/// <summary>An option that the server cannot start with.</summary>
/// <param name="message">One line that names the option, its value, where it was given and what is allowed.</param>
public sealed class OptionException(string message) : Exception(message);
