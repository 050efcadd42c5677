using System.Text;

namespace DeRa.Serving.Rewards;

/// <summary>Splits a command into its words, at spaces outside of '…' and "…". Nothing else is special: no shell runs it.</summary>
internal static class CommandLineWords
{
    /// <exception cref="RewardException">A quote is not closed, or there is no word.</exception>
    public static IReadOnlyList<string> Split(string command)
    {
        var words = new List<string>();
        StringBuilder? word = null;
        char? quote = null;
        foreach (var character in command)
        {
            if (character == quote) quote = null;
            else if (quote is null && character is '\'' or '"') (quote, word) = (character, word ?? new());
            else if (quote is null && char.IsWhiteSpace(character)) Finish();
            else (word ??= new()).Append(character);
        }
        if (quote is not null) throw new RewardException($"reward command: a {quote} is not closed in: {command}");
        Finish();
        return words.Count > 0 ? words : throw new RewardException("reward command: there is no command, e.g. command:python score.py");

        void Finish()
        {
            if (word is not null) words.Add(word.ToString());
            word = null;
        }
    }
}
