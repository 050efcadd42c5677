using DeRa.Torch.Weights;

namespace DeRa.Serving.Loading;

/// <summary>Shows on one line of a terminal how far each model is. Any thread.</summary>
/// <param name="terminal">Where the line is written.</param>
/// <param name="inner">Reported to as well; null = nobody.</param>
public sealed class ConsoleLoadProgress(TextWriter terminal, IProgress<LoadProgress>? inner = null) : IProgress<LoadProgress>
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, int> _percents = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public void Report(LoadProgress value)
    {
        inner?.Report(value);
        var percent = (int)(100 * value.LoadedBytes / Math.Max(1, value.TotalBytes));
        lock (_gate)
        {
            if (_percents.TryGetValue(value.Model, out var shown) && shown == percent) return;
            _percents[value.Model] = percent;
            var line = string.Join("  ", _percents.Select(entry => $"{entry.Key} {entry.Value,3} %"));
            terminal.Write(_percents.Values.All(p => p == 100) ? $"\rLoading: {line}\n" : $"\rLoading: {line}");
        }
    }
}
