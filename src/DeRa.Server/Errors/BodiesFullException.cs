namespace DeRa.Server.Errors;

/// <summary>The bodies that are held already leave no room for another. It may be sent again.</summary>
internal sealed class BodiesFullException()
    : Exception("The server holds as many bytes of requests that it has not read yet as it may; try again later.");
