using Spectre.Console;
using Spectre.Console.Rendering;

namespace DeRa.Cli.Chat;

/// <summary>A piece of text as it is, in a colour: it is never wrapped, since the terminal does that where the answer stands.</summary>
/// <param name="text">The text.</param>
/// <param name="style">Its look.</param>
internal sealed class Paint(string text, Style style) : IRenderable
{
    /// <summary>The implicit reward of a token, in nats, at which its colour is full.</summary>
    private const double Full = 1;

    private const int Pale = 200;

    /// <summary>A piece of an answer: green where the aligned model likes it better than the reference does, red where less.</summary>
    /// <param name="text">The text.</param>
    /// <param name="implicitReward">The mean implicit reward of its tokens; null = no colour.</param>
    public static Paint Of(string text, double? implicitReward) =>
        new(text, implicitReward is { } reward ? new Style(ColorOf(reward)) : Style.Plain);

    /// <summary>The colour of an implicit reward.</summary>
    public static Color ColorOf(double implicitReward)
    {
        var share = double.IsNaN(implicitReward) ? 0 : Math.Clamp(implicitReward / Full, -1, 1);
        var (full, faded) = ((byte)(Pale + (255 - Pale) * Math.Abs(share) * .2), (byte)(Pale * (1 - Math.Abs(share) * .75)));
        return share < 0 ? new Color(full, faded, faded) : new Color(faded, full, faded);
    }

    /// <inheritdoc/>
    public Measurement Measure(RenderOptions options, int maxWidth) => new(0, maxWidth);

    /// <inheritdoc/>
    public IEnumerable<Segment> Render(RenderOptions options, int maxWidth) => [new Segment(text, style)];
}
