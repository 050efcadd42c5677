namespace DeRa.Server.State;

/// <summary>What the server is doing.</summary>
internal enum ServingPhase
{
    /// <summary>The models are being loaded.</summary>
    Loading,

    /// <summary>Requests are taken.</summary>
    Ready,

    /// <summary>The server finishes what runs and takes nothing new.</summary>
    Draining,

    /// <summary>The models could not be loaded; the server is about to end.</summary>
    Failed,
}

/// <summary>A request came while the server takes none. It may be sent again later.</summary>
/// <param name="phase">Why.</param>
internal sealed class NotServingException(ServingPhase phase) : Exception(Text(phase))
{
    private static string Text(ServingPhase phase) => phase switch
    {
        ServingPhase.Loading => "The models are still being loaded.",
        ServingPhase.Draining => "The server is shutting down.",
        _ => "The models could not be loaded.",
    };
}
