using System.Runtime.CompilerServices;
using System.Text;

namespace DeRa.Serving.Rewards;

/// <summary>Reads lines of a program that may write anything: of a line at most a limit is kept.</summary>
internal static class BoundedLines
{
    /// <summary>
    /// The lines of a text, without their ends; of longer ones the first characters and a sign that there were more: "…".
    /// </summary>
    /// <param name="reader">The text.</param>
    /// <param name="most">Characters of a line that are kept at most.</param>
    /// <param name="cancellation">Stops it.</param>
    public static async IAsyncEnumerable<string> ReadAsync(
        TextReader reader, int most, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var (buffer, line, isLong) = (new char[4096], new StringBuilder(), false);
        while (await reader.ReadAsync(buffer.AsMemory(), cancellation) is > 0 and var count)
        {
            var start = 0;
            while (Array.IndexOf(buffer, '\n', start, count - start) is >= 0 and var end)
            {
                Keep(start, end);
                yield return Take();
                start = end + 1;
            }
            Keep(start, count);
        }
        if (line.Length > 0) yield return Take();

        void Keep(int start, int end)
        {
            var kept = Math.Min(end - start, most - line.Length);
            line.Append(buffer, start, kept);
            isLong |= kept < end - start;
        }

        string Take()
        {
            var whole = isLong ? line.Append('…').ToString() : line.ToString().TrimEnd('\r');
            line.Clear();
            isLong = false;
            return whole;
        }
    }
}
