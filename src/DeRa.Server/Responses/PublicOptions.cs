using System.Text.Json.Nodes;
using DeRa.Server.Options;

namespace DeRa.Server.Responses;

/// <summary>The effective options that clients may see.</summary>
internal static class PublicOptions
{
    /// <summary>All of them but secrets and places on this machine, by name.</summary>
    public static JsonObject Of(ServerOptions options) => new(OptionReader.Table.All.Where(entry => entry.IsPublic)
        .Select(entry => KeyValuePair.Create(entry.Name, ServedValues.Json(entry.Get(options)))));
}
