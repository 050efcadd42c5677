namespace DeRa.Server.Errors;

/// <summary>
/// The client went away, closed its connection or reset its stream: nobody waits for a response, and nothing is wrong here.
/// </summary>
internal sealed class ClientGoneException() : OperationCanceledException("The client went away.");
