namespace DeRa.Server;

/// <summary>The client went away, closed its connection or reset its stream: nobody waits for an answer, and nothing is wrong here.</summary>
internal sealed class ClientGoneException() : OperationCanceledException("The client went away.");
