using ScottPlot;
using SkiaSharp;

namespace DeRa.Lab.Reports;

/// <summary>The embedded font, so that plots look the same on all machines, including those without fonts.</summary>
internal sealed class PlotFont : IFontResolver
{
    /// <summary>The family's name, also in the SVG.</summary>
    public const string Name = "DejaVu Sans";

    private static readonly Lazy<bool> Registered = new(Register);

    /// <summary>Registers the font with ScottPlot, once. Any thread.</summary>
    public static void Load() => _ = Registered.Value;

    /// <summary>
    /// Adds fallbacks to an SVG for viewers without the font: letters are placed one by one, and Verdana's have the same widths.
    /// </summary>
    public static string WithFallbacks(string svg) =>
        svg.Replace($"font-family=\"{Name}\"", $"font-family=\"{Name}, Verdana, sans-serif\"", StringComparison.Ordinal);

    public SKTypeface? CreateTypeface(string fontName, FontWeight weight, FontSlant slant, FontSpacing spacing) =>
        fontName == Name ? Open() : null;

    public SKTypeface? CreateTypeface(string fontName, bool bold, bool italic) => fontName == Name ? Open() : null;

    private static SKTypeface? Open() => SKTypeface.FromStream(typeof(PlotFont).Assembly.GetManifestResourceStream("DejaVuSans.ttf")!);

    private static bool Register()
    {
        Fonts.FontResolvers.Insert(0, new PlotFont());
        Fonts.Default = Fonts.Sans = Name;
        return true;
    }
}
