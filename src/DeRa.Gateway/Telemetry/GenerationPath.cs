namespace DeRa.Gateway.Telemetry;

/// <summary>The path under which a generation that is being streamed is changed. The id in it gives a right: no log and no trace has it.</summary>
public static class GenerationPath
{
    private const string Path = "/v1/realignment/generations";

    /// <summary>The id in a path; null = there is none.</summary>
    public static string? IdOf(PathString path) =>
        path.StartsWithSegments(Path, out var rest) && rest.Value is { Length: > 1 } id ? id[1..] : null;

    /// <summary>A request's path as logs and traces may have it.</summary>
    public static string Logged(HttpRequest request) => IdOf(request.Path) is not null ? Path + "/{id}"
        : request.Path.HasValue ? request.Path.ToUriComponent() : "*";
}
