using DeRa.Server.State;

namespace DeRa.Server.Telemetry;

/// <summary>What logs and traces say of a request's path: the id of a running generation, which gives a right, is not in it.</summary>
internal static class LoggedPath
{
    /// <summary>The path, as it stands in a URI.</summary>
    public static string Of(HttpRequest request) => IsSecret(request) ? RunningGenerations.Path + "/{id}"
        : request.Path.HasValue ? request.Path.ToUriComponent() : "*";

    /// <summary>Whether the path holds such an id.</summary>
    public static bool IsSecret(HttpRequest request) =>
        request.Path.StartsWithSegments(RunningGenerations.Path, out var rest) && rest.HasValue;
}
