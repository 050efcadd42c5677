namespace DeRa.Server.Errors;

/// <summary>A request's body has not arrived in time.</summary>
/// <param name="most">The time that it had.</param>
internal sealed class UploadTooSlowException(TimeSpan most)
    : Exception($"The request's body has not arrived within {most.TotalSeconds:0.###} s.");
