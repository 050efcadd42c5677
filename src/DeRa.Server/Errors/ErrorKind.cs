namespace DeRa.Server.Errors;

/// <summary>What can go wrong with a request, as far as clients distinguish it. <see cref="ErrorTable"/> has a row for each.</summary>
internal enum ErrorKind
{
    /// <summary>A field has a value that is not allowed.</summary>
    InvalidField,

    /// <summary>No model of that name is served.</summary>
    UnknownModel,

    /// <summary>No generation of that id is running, or it is another client's.</summary>
    UnknownGeneration,

    /// <summary>HTTP itself refuses the request, before any field is looked at.</summary>
    InvalidHttp,

    /// <summary>HTTP itself has waited too long for the request.</summary>
    HttpTimeout,

    /// <summary>The bytes are not a protobuf message.</summary>
    MalformedMessage,

    /// <summary>The API key is missing or wrong.</summary>
    InvalidKey,

    /// <summary>The client has sent more than it may.</summary>
    RateLimited,

    /// <summary>The request names a host that is not this server.</summary>
    WrongHost,

    /// <summary>The body has not arrived, or the request was not finished, in time.</summary>
    DeadlineExceeded,

    /// <summary>The request bodies that are held leave no room for another.</summary>
    BodiesFull,

    /// <summary>The engine's queue is full.</summary>
    QueueFull,

    /// <summary>The models are still being loaded, or the server shuts down.</summary>
    NotServing,

    /// <summary>The engine drains or has stopped.</summary>
    EngineStopped,

    /// <summary>Nobody waits for the response any more.</summary>
    Cancelled,

    /// <summary>A step of the engine has failed; the same request may succeed.</summary>
    GenerationFailed,

    /// <summary>A fault of the server's own.</summary>
    Internal,
}
