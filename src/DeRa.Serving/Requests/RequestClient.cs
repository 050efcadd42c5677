using System.Globalization;
using DeRa.Engine.Requests;

namespace DeRa.Serving.Requests;

/// <summary>Whose a request is: what its transport knows of its sender, and no field can say.</summary>
/// <param name="Name">Clients share the engine alike (<see cref="GenerationRequest.Client"/>).</param>
/// <param name="CacheOwner">
/// With whom it shares what is computed of prompts: only with requests of the same owner; null = with all that have none.
/// </param>
public sealed record RequestClient(string Name, string? CacheOwner)
{
    /// <summary>The salt of its cache blocks: another owner or another salt gives another one, whatever is in their names.</summary>
    /// <param name="salt">The request's own, not empty; null = none.</param>
    /// <returns>Null where there is neither owner nor salt.</returns>
    public string? Salt(string? salt) => CacheOwner is null && salt is null ? null
        : string.Create(CultureInfo.InvariantCulture, $"{CacheOwner?.Length}:{CacheOwner}{salt}");
}
