using System.Text.RegularExpressions;
using DeRa.Torch.Configuration;

namespace DeRa.Torch.Adapters;

/// <summary>A Python regular expression over module names. It comes from a model folder, so matching is bounded in time.</summary>
internal sealed class ModulePattern
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(1);

    private readonly Regex _regex;
    private readonly Func<string, Exception> _refuse;

    private ModulePattern(Regex regex, Func<string, Exception> refuse) => (_regex, _refuse) = (regex, refuse);

    /// <summary>Matches whole names.</summary>
    /// <exception cref="Weights.CheckpointException">It is not a regular expression.</exception>
    public static ModulePattern Whole(ConfigFields fields, string field, string pattern) =>
        Compile(fields, field, pattern, @"\A(?:", @")\z");

    /// <summary>Matches whole names, or what follows one of their dots.</summary>
    /// <exception cref="Weights.CheckpointException">It is not a regular expression.</exception>
    public static ModulePattern EndOf(ConfigFields fields, string field, string pattern) =>
        Compile(fields, field, pattern, @"\A(?:.*\.)?(?:", @")\z");

    /// <summary>Whether a name matches.</summary>
    /// <exception cref="Weights.CheckpointException">Matching takes longer than a second.</exception>
    public bool Matches(string module)
    {
        try
        {
            return _regex.IsMatch(module);
        }
        catch (RegexMatchTimeoutException)
        {
            throw _refuse("takes too long to match");
        }
    }

    private static ModulePattern Compile(ConfigFields fields, string field, string pattern, string before, string after)
    {
        try
        {
            var regex = new Regex(before + PythonPattern.ToDotNet(pattern) + after, RegexOptions.CultureInvariant, Limit);
            return new ModulePattern(regex, problem => fields.Invalid(field, $"'{pattern}' {problem}"));
        }
        catch (ArgumentException exception)
        {
            throw fields.Invalid(field, $"holds '{pattern}', which is not a regular expression: {exception.Message}");
        }
    }
}
