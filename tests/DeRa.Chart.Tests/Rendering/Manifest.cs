using System.Text.Json;

namespace DeRa.Chart.Tests.Rendering;

/// <summary>One rendered document.</summary>
/// <param name="Template">The template's file.</param>
/// <param name="Text">YAML.</param>
public sealed record Manifest(string Template, string Text)
{
    /// <summary>The document.</summary>
    public JsonElement Json { get; } = JsonSerializer.SerializeToElement(YamlText.Read(Text));

    /// <summary>Such as Deployment.</summary>
    public string Kind => Json.GetProperty("kind").GetString()!;

    /// <summary>The object's name.</summary>
    public string Name => Json.GetProperty("metadata").GetProperty("name").GetString()!;
}
