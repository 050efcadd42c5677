using DeRa.Lab.Evaluation;
using DeRa.Lab.Sampling;
using DeRa.Lab.Training;
using DeRa.Serving.Rewards;
using DeRa.Text;

namespace DeRa.Lab.Unlikelihood;

/// <summary>
/// The tokens of a completion that make it faulty: of a word that is in no list those behind its first, and those of the last word of
/// a run of four that occurred before in the completion.
/// </summary>
internal sealed class CompletionFaults(ITokenizer tokenizer, KnownWords known)
{
    /// <summary>What the lists hold, for <see cref="Training.ITrainingTask.Description"/>.</summary>
    public string KnownWords => Fingerprint.Of(known.Words.Order(StringComparer.Ordinal));

    /// <summary>Finds them.</summary>
    /// <param name="prompt">The prompt's text; a word may begin in it.</param>
    /// <param name="sampled">The completion.</param>
    /// <returns>Places in <see cref="SampledText.Tokens"/>, each once, ascending.</returns>
    public IReadOnlyCollection<int> Of(string prompt, SampledText sampled)
    {
        var (text, fromPrompt) = WholeWords.TextOf(sampled.ToCompletion(prompt, tokenizer));
        var (places, words, ends) = (TextWords.Places(text), TextWords.Of(text), Ends(sampled, prompt, fromPrompt));
        var faulty = new SortedSet<int>();
        foreach (var i in RepeatedWords.Ends(words)) faulty.UnionWith(Tokens(ends, places[i]));
        for (var i = 0; i < words.Count; i++)
        {
            if (known.Contains(words[i])) continue;
            var tokens = Tokens(ends, places[i]);
            faulty.UnionWith(tokens.Count > 1 && places[i].Start.Value > 0 ? tokens.Skip(1) : tokens);
        }
        return faulty;
    }

    /// <summary>Where each token of the completion ends in the text.</summary>
    private int[] Ends(SampledText sampled, string prompt, int start)
    {
        var decoder = tokenizer.CreateDecoder(continuesText: prompt.Length > 0);
        return [.. (sampled.Finished ? sampled.Tokens[..^1] : sampled.Tokens).Select(token => start += decoder.Append(token).Length)];
    }

    /// <summary>The tokens that reach into a word.</summary>
    private static List<int> Tokens(int[] ends, Range word)
    {
        var tokens = new List<int>();
        for (var i = 0; i < ends.Length; i++)
            if (ends[i] > word.Start.Value && (i == 0 || ends[i - 1] < word.End.Value)) tokens.Add(i);
        return tokens;
    }
}
