using System.Text.Json.Nodes;

namespace DeRa.Server.Http.ApiReference;

/// <summary>A field of a request body as the API reference shows it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Schema">What it may be, its range in force included.</param>
/// <param name="Text">What it does.</param>
/// <param name="IsRequired">Whether it must be there; others may be null, which is the same as absent.</param>
internal sealed record FieldDescription(string Name, JsonObject Schema, string Text, bool IsRequired = false);
