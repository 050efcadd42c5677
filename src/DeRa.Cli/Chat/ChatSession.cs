using System.Globalization;
using System.Text;
using Spectre.Console;

namespace DeRa.Cli.Chat;

/// <summary>A conversation on a terminal, or by lines of a file.</summary>
/// <param name="responses">What answers.</param>
/// <param name="console">The terminal.</param>
/// <param name="readLine">Reads a line, after a prompt where there is a terminal; null = the input has ended.</param>
/// <param name="settings">How answers are made at first.</param>
internal sealed class ChatSession(IResponseSource responses, IAnsiConsole console, Func<string, string?> readLine, ChatSettings settings)
{
    private readonly List<(string Role, string Content)> _turns = [];
    private ChatSettings _settings = settings;
    private CancellationTokenSource? _responding;

    /// <summary>Stops the answer that is being written; any thread.</summary>
    /// <returns>Whether one was.</returns>
    public bool StopResponse()
    {
        if (Volatile.Read(ref _responding) is not { } responding) return false;
        try
        {
            responding.Cancel();
        }
        catch (ObjectDisposedException)
        {
            return false; // it has just ended
        }
        return true;
    }

    /// <summary>Talks until the input ends.</summary>
    /// <returns>Whether the last answer came to its end, or was stopped by the user.</returns>
    public async Task<bool> RunAsync(CancellationToken cancellation)
    {
        var succeeded = true;
        while (!cancellation.IsCancellationRequested && readLine(Prompt())?.Trim() is { } line && line is not ("/quit" or "/exit"))
        {
            if (line.Length == 0) continue;
            if (line.StartsWith('/')) Obey(line);
            else succeeded = await RespondAsync(line, cancellation);
        }
        cancellation.ThrowIfCancellationRequested();
        return succeeded;
    }

    private string Prompt() =>
        _settings.Strength is { } strength ? string.Create(CultureInfo.InvariantCulture, $"λ {strength} > ") : "> ";

    private void Obey(string line)
    {
        if (line == "/help")
        {
            var table = new Table().HideHeaders().Border(TableBorder.None).AddColumns("", "");
            foreach (var (typed, meaning) in ChatLines.Help) table.AddRow(Markup.Escape(typed), Markup.Escape(meaning));
            console.Write(table);
            return;
        }
        if (line == "/clear")
        {
            _turns.Clear();
            Say("the conversation is forgotten");
            return;
        }
        try
        {
            (_settings, var said) = ChatLines.Apply(_settings, line);
            Say(said);
        }
        catch (FormatException wrong)
        {
            Say(wrong.Message);
        }
    }

    private async Task<bool> RespondAsync(string line, CancellationToken cancellation)
    {
        using var responding = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Volatile.Write(ref _responding, responding);
        _turns.Add(("user", line));
        var text = new StringBuilder();
        var (tokens, rewards, seed) = (0, 0d, (long?)null);
        try
        {
            await foreach (var piece in responses.RespondAsync(Conversation(), _settings, responding.Token))
            {
                console.Write(Paint.Of(piece.Text, piece.ImplicitReward));
                text.Append(piece.Text);
                (tokens, rewards) = (tokens + piece.Tokens, rewards + (piece.ImplicitReward ?? 0) * piece.Tokens);
                seed ??= piece.Seed;
            }
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            console.Write(Paint.Of(" …", null));
        }
        catch (ChatException failed)
        {
            // Asked anew, it is not in the conversation twice.
            _turns.RemoveAt(_turns.Count - 1);
            if (text.Length > 0) console.WriteLine();
            Say(failed.Message);
            return false;
        }
        finally
        {
            Volatile.Write(ref _responding, null);
        }
        console.WriteLine();
        _turns.Add(("assistant", text.ToString()));
        if (console.Profile.Capabilities.Ansi)
            Say(string.Create(CultureInfo.InvariantCulture, $"{tokens} tokens, implicit reward {rewards:+0.00;-0.00;0}, seed {seed}"));
        return true;
    }

    private List<(string Role, string Content)> Conversation() =>
        _settings.System is { } system ? [("system", system), .. _turns] : [.. _turns];

    private void Say(string text)
    {
        console.Write(new Paint(text, new Style(decoration: Decoration.Dim)));
        console.WriteLine();
    }
}
