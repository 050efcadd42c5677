using Xunit;

namespace DeRa.Architecture.Tests.Rules;

internal static class Report
{
    /// <summary>Fails with all violations, each on a line, if there are any.</summary>
    /// <param name="violations">What is against a rule.</param>
    /// <param name="advice">What to do about it, if the violations do not say.</param>
    public static void None(IEnumerable<string> violations, string advice = "")
    {
        string[] all = [.. violations];
        if (all.Length > 0) Assert.Fail(string.Join('\n', all.Append(advice).Prepend($"{all.Length} violations:")));
    }
}
