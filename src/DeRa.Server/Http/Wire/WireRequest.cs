using DeRa.Serving.Requests;

namespace DeRa.Server.Http.Wire;

/// <summary>A request as it was read from the wire: what to generate, and how to respond.</summary>
/// <param name="Input">What to generate; nothing of it checked beyond its types.</param>
/// <param name="Response">How to respond.</param>
/// <param name="Ignored">Fields that nobody here knows.</param>
internal sealed record WireRequest(GenerationInput Input, ResponseOptions Response, IReadOnlyList<string> Ignored);
