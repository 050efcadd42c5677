using System.Text.Json;

namespace DeRa.Testing;

/// <summary>What a publish would hold, as MSBuild says: it lists the files and builds nothing.</summary>
public static class PublishedFiles
{
    /// <summary>The files that a publish puts beside the program, in a single-file publish too; paths with slashes.</summary>
    /// <param name="project">A project under src that was restored.</param>
    /// <param name="cancellation">Stops waiting.</param>
    /// <exception cref="InvalidOperationException">MSBuild failed; its output is the message.</exception>
    public static async Task<IReadOnlySet<string>> BesideSingleFileAsync(string project, CancellationToken cancellation)
    {
        using var document = JsonDocument.Parse(await MSBuild.RunAsync(
            [
                Path.Combine(SharedData.ProjectRoot, "src", project, project + ".csproj"),
                "-t:PrepareProjectReferences;ComputeResolvedFilesToPublishList",
                "-p:BuildProjectReferences=false", "-getItem:ResolvedFileToPublish",
            ], cancellation));
        return document.RootElement.GetProperty("Items").GetProperty("ResolvedFileToPublish").EnumerateArray()
            .Where(file => file.TryGetProperty("ExcludeFromSingleFile", out var isExcluded) && isExcluded.ValueEquals("true"))
            .Select(file => file.GetProperty("RelativePath").GetString()!.Replace('\\', '/')).ToHashSet();
    }
}
