namespace DeRa.Gateway.Errors;

/// <summary>What the gateway itself refuses or cannot do.</summary>
/// <param name="error">How the client learns of it.</param>
public sealed class GatewayException(GatewayError error) : Exception(error.Message)
{
    /// <summary>How the client learns of it.</summary>
    public GatewayError Error { get; } = error;
}
