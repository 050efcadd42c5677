namespace DeRa.Server.Errors;

/// <summary>A client did not take what was sent to it, and was disconnected.</summary>
internal sealed class ReaderTooSlowException() : OperationCanceledException("The client did not read its response.");
