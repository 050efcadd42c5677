namespace DeRa.Server.Composition;

/// <summary>Shows on one line of a terminal how far each model is. Any thread.</summary>
/// <param name="inner">Told as well.</param>
/// <param name="terminal">Where the line is written.</param>
internal sealed class ConsoleLoadProgress(IProgress<LoadProgress> inner, TextWriter terminal) : IProgress<LoadProgress>
{
    private readonly Lock gate = new();
    private readonly SortedDictionary<string, int> percents = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public void Report(LoadProgress value)
    {
        inner.Report(value);
        var percent = (int)(value.Fraction * 100);
        lock (gate)
        {
            if (percents.TryGetValue(value.Model, out var shown) && shown == percent) return;
            percents[value.Model] = percent;
            var line = string.Join("  ", percents.Select(entry => $"{entry.Key} {entry.Value,3} %"));
            terminal.Write(percents.Values.All(p => p == 100) ? $"\rloading: {line}\n" : $"\rloading: {line}");
        }
    }
}
