using ScottPlot;
using SkiaSharp;

namespace DeRa.Lab.Reports;

/// <summary>The font that this assembly carries, so that plots have letters, and the same ones, on machines without fonts.</summary>
internal sealed class PlotFont : IFontResolver
{
    /// <summary>The family's name, also in the SVG.</summary>
    public const string Name = "DejaVu Sans";

    private static readonly Lazy<bool> Registered = new(Register);

    /// <summary>Makes the font known to ScottPlot. From any thread, as often as wanted.</summary>
    public static void Load() => _ = Registered.Value;

    /// <summary>
    /// Adds to an SVG what a viewer without the font takes: letters are placed one by one, and Verdana's are as wide.
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
