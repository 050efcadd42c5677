namespace DeRa.Server.Errors;

/// <summary>The bodies that are held already leave no room for another. It may be sent again.</summary>
internal sealed class BodiesFullException()
    : Exception("The server already holds as many bytes of unread requests as it may; try again later.");
