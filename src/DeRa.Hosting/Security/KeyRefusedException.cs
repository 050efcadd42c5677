namespace DeRa.Hosting.Security;

/// <summary>A request without a key, or with a wrong one.</summary>
/// <param name="wasPresented">Whether there was one.</param>
public sealed class KeyRefusedException(bool wasPresented) : Exception(wasPresented
    ? "The API key is not one of this server's."
    : "An API key is needed: send it in the header 'Authorization: Bearer KEY'.");
