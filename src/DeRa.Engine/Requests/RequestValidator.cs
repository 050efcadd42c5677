namespace DeRa.Engine.Requests;

/// <summary>Placeholder while contracts are laid.</summary>
public static class RequestValidator { }
