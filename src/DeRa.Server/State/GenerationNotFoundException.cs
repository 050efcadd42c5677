namespace DeRa.Server.State;

/// <summary>No generation of that id runs, or it is not the client's; which of them it is, clients do not learn.</summary>
internal sealed class GenerationNotFoundException() : Exception("No generation of that id is running.");
