using System.Globalization;

namespace DeRa.Gateway.Replicas;

/// <summary>Reads off a replica's metrics how much runs and waits there.</summary>
public static class ReportedLoad
{
    private static readonly string[] s_names = ["vllm:num_requests_running", "vllm:num_requests_waiting"];

    /// <summary>Sequences that run and wait; null = the metrics do not say.</summary>
    /// <param name="metrics">In Prometheus' text format.</param>
    public static double? Read(string metrics)
    {
        double? sum = null;
        foreach (var line in metrics.AsSpan().EnumerateLines())
            if (IsOurs(line) && double.TryParse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture, out var value)
                && double.IsFinite(value)) sum = (sum ?? 0) + value;
        return sum;
    }

    private static bool IsOurs(ReadOnlySpan<char> line)
    {
        foreach (var name in s_names)
            if (line.StartsWith(name, StringComparison.Ordinal) && line.Length > name.Length && line[name.Length] is '{' or ' ') return true;
        return false;
    }
}
