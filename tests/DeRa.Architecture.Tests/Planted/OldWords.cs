namespace DeRa.Architecture.Tests.Planted;

internal sealed class HttpDoors
{
    private readonly int _limitInForce = 3;

    // No old word: a part of a longer one, and another sense.
    public int Indoors => _limitInForce;

    public static string WireName => "max_tokens must be positive; see --max-tokens";
}
