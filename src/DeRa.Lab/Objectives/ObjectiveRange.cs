using System.Globalization;

namespace DeRa.Lab.Objectives;

/// <summary>Checks an objective's settings; the error names the setting, its value and the allowed range.</summary>
internal static class ObjectiveRange
{
    /// <summary>The KL strength: at 0 no objective here has an optimum.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="beta"/> is not a finite number above 0.</exception>
    public static double Beta(double beta) => double.IsFinite(beta) && beta > 0 ? beta
        : throw Bad(nameof(beta), beta, "a finite number above 0");

    /// <summary>How far the ratio of policy and proposal may move from 1 before its gradient stops.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="clip"/> is not between 0 and 1, both excluded.</exception>
    public static double Clip(double clip) => clip is > 0 and < 1 ? clip : throw Bad(nameof(clip), clip, "above 0 and below 1");

    private static ArgumentOutOfRangeException Bad(string setting, double value, string allowed) =>
        new(setting, $"'{setting}' is {value.ToString("R", CultureInfo.InvariantCulture)}; it must be {allowed}.");
}
