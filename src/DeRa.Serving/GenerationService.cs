using DeRa.Engine.Admission;
using DeRa.Serving.Requests;
using DeRa.Serving.Streaming;

namespace DeRa.Serving;

/// <summary>
/// The application's entry point for requests that generate: prepare, start, then read the generation whole
/// (<see cref="WholeChoice.ReadAsync"/>) or in pieces (<see cref="Generation.ReadAsync"/>). Transports read requests, call this and
/// write responses. Immutable; any thread.
/// </summary>
/// <param name="pair">What serves the requests.</param>
public sealed class GenerationService(ServedPair pair)
{
    /// <summary>What serves the requests.</summary>
    public ServedPair Pair => pair;

    /// <summary>Checks and encodes a request. Takes time in proportion to its prompts.</summary>
    /// <exception cref="InvalidRequestException">A field is out of range; the exception names it and the range.</exception>
    public PreparedGeneration Prepare(GenerationInput input) => new(input, pair.Validator.Prepare(input));

    /// <summary>Submits a prepared request to the engine.</summary>
    /// <param name="prepared">What <see cref="Prepare"/> gave.</param>
    /// <param name="elapsed">What has passed of the request's time already, while it was read and prepared.</param>
    /// <returns>The running generation; disposing it cancels what still runs.</returns>
    /// <exception cref="AdmissionException">The engine did not take it.</exception>
    /// <exception cref="InvalidRequestException">The engine's queue could never take it.</exception>
    public Generation Start(PreparedGeneration prepared, TimeSpan elapsed = default) =>
        Generation.Start(pair.Engine, prepared.Request, pair.Tokenizer, elapsed);

    /// <summary>Changes the strengths of a running generation, for the tokens that follow, in every choice.</summary>
    /// <param name="generation">What <see cref="Start"/> gave.</param>
    /// <param name="first">The strength of the first aligned model; null = not given.</param>
    /// <param name="named">Strengths by aligned model; null = not given.</param>
    /// <exception cref="InvalidRequestException">None or both are given, a name is unknown, or a strength is out of range.</exception>
    public void ChangeStrengths(Generation generation, double? first, IReadOnlyDictionary<string, double>? named) =>
        generation.ChangeStrengths(pair.Validator.PrepareStrengths(first, named));
}

/// <summary>A request that is checked and encoded.</summary>
/// <param name="Input">What was asked for.</param>
/// <param name="Request">What runs.</param>
public sealed record PreparedGeneration(GenerationInput Input, PreparedRequest Request)
{
    /// <summary>Whether it continues a conversation, not a text.</summary>
    public bool IsChat => Input.Prompts[0] is ChatPrompt;

    /// <inheritdoc cref="PreparedRequest.For"/>
    public PreparedGeneration For(RequestClient client) => this with { Request = Request.For(client) };
}
