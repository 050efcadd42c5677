namespace DeRa.Server.Http.ApiReference;

/// <summary>One thing that can be asked of the server over HTTP.</summary>
/// <param name="Id">Its name, one of a kind.</param>
/// <param name="Method">GET or POST.</param>
/// <param name="Path">Its path.</param>
/// <param name="Summary">What it does.</param>
/// <param name="Response">The schema of its response, of <see cref="ResponseSchemas"/>.</param>
internal sealed record ApiOperation(string Id, string Method, string Path, string Summary, string Response)
{
    /// <summary>The schema of a chunk of a streamed response; null where it does not stream.</summary>
    public string? Chunk { get; init; }

    /// <summary>Schemas of further responses, by status.</summary>
    public IReadOnlyDictionary<int, string> OtherResponses { get; init; } = new Dictionary<int, string>();

    /// <summary>The media type of its response.</summary>
    public string MediaType { get; init; } = "application/json";

    /// <summary>The forms of its request body, each a list of fields; empty where it takes none.</summary>
    public IReadOnlyList<RequestForm> Forms { get; init; } = [];

    /// <summary>Request bodies that work.</summary>
    public IReadOnlyList<string> Examples { get; init; } = [];

    /// <summary>Whether it needs no API key even where there are keys.</summary>
    public bool IsOpen { get; init; }
}

/// <summary>A form of a request body.</summary>
/// <param name="Schema">The name of its schema.</param>
/// <param name="Fields">The fields that work.</param>
/// <param name="WithoutEffect">Fields that are taken and change nothing.</param>
/// <param name="Unsupported">Fields that are refused where they ask for something.</param>
internal sealed record RequestForm(
    string Schema, IReadOnlyList<FieldDescription> Fields, IReadOnlyList<string> WithoutEffect, IReadOnlyList<string> Unsupported);
