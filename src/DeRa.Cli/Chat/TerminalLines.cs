using System.Globalization;

namespace DeRa.Cli.Chat;

/// <summary>Reads lines from a terminal, with arrow keys for what was typed before.</summary>
/// <param name="output">The terminal.</param>
internal sealed class TerminalLines(TextWriter output)
{
    private readonly List<string> _history = [];

    /// <summary>Reads a line; null = Ctrl+D or Ctrl+C.</summary>
    public string? Read(string prompt)
    {
        var line = new EditedLine(_history);
        // While keys are read the terminal does not echo, which an end by a signal would leave so.
        Console.TreatControlCAsInput = true;
        try
        {
            while (true)
            {
                Draw(prompt, line);
                var key = Console.ReadKey(intercept: true);
                if (key.Key == ConsoleKey.Enter || key.KeyChar is '\n' or '\r') break;
                if (key.KeyChar is '\u0003' || (key.KeyChar is '\u0004' && line.Text.Length == 0)) return End();
                line.Press(key);
            }
        }
        catch (InvalidOperationException)
        {
            return End(); // the terminal has gone
        }
        finally
        {
            Console.TreatControlCAsInput = false;
        }
        output.WriteLine();
        if (line.Text.Length > 0 && (_history.Count == 0 || _history[^1] != line.Text)) _history.Add(line.Text);
        return line.Text;
    }

    private string? End()
    {
        output.WriteLine();
        return null;
    }

    private void Draw(string prompt, EditedLine line)
    {
        var width = Math.Max(10, (Console.WindowWidth > 0 ? Console.WindowWidth : 80) - prompt.Length - 1);
        var (text, cursor) = line.Visible(width);
        var back = text.Length - cursor;
        output.Write($"\r\e[1m{prompt}\e[0m{text}\e[K"
            + (back > 0 ? string.Create(CultureInfo.InvariantCulture, $"\e[{back}D") : ""));
        output.Flush();
    }
}
