using System.Diagnostics;
using System.Globalization;
using CsCheck;
using Xunit;

namespace DeRa.Server.Tests.Fuzzing;

/// <summary>
/// Checks a property on generated cases, one after another, until its seconds are over: <c>TEST_FUZZ_SECONDS</c>, 4 where that
/// is not set. The cases are the same in each run, from number <c>TEST_FUZZ_CASE</c> (0) on; only how many there are depends on the time.
/// </summary>
internal static class FuzzRun
{
    /// <summary>Cases among which a smaller one than one that fails is looked for.</summary>
    private const int ShrinkingCases = 100;

    /// <summary>How long one case may take; a hang is a failure that names its case.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    public static async Task RunAsync<T>(Gen<T> cases, Func<T, string> show, Func<T, Task> property)
    {
        var (first, watch) = (Setting("TEST_FUZZ_CASE", 0), Stopwatch.StartNew());
        var end = TimeSpan.FromSeconds(Setting("TEST_FUZZ_SECONDS", 4));
        var number = first;
        for (; watch.Elapsed < end || number == first; number++)
        {
            try
            {
                await SampleAsync(1);
            }
            catch (CsCheckException failure)
            {
                TestContext.Current.TestOutputHelper!.WriteLine($"case {number} (TEST_FUZZ_CASE={number}) fails: {failure}");
                await SampleAsync(ShrinkingCases);
                throw;
            }
        }
        TestContext.Current.TestOutputHelper!.WriteLine($"{number - first} cases");

        Task SampleAsync(int count) =>
            cases.SampleAsync(value => property(value).WaitAsync(Patience, ServerFixture.Stop),
                seed: Seed(number).ToString(), iter: count, threads: 1, print: show);
    }

    /// <summary>A number out of the environment. No name begins with DERA_: a server that a test starts takes those for options.</summary>
    public static int Setting(string name, int fallback) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : fallback;

    private static PCG Seed(int number) => new(1, (ulong)number * 0x9E3779B97F4A7C15);
}
