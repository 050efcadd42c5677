using DeRa.Lab.Evaluation;
using DeRa.Lab.Sampling;
using DeRa.Serving.Rewards;
using DeRa.Text;

namespace DeRa.Lab.Unlikelihood;

/// <summary>
/// The tokens of a completion that make it faulty: of a word that is in no list those behind its first, and those of the last word of
/// a run of four that occurred before in the completion.
/// </summary>
internal sealed class CompletionFaults(ITokenizer tokenizer, KnownWords known)
{
    private const int Run = 4;

    /// <summary>How many words are in the lists.</summary>
    public int KnownWords => known.Count;

    /// <summary>Finds them.</summary>
    /// <param name="prompt">The prompt's text; a word may begin in it.</param>
    /// <param name="sampled">The completion.</param>
    /// <returns>Places in <see cref="SampledText.Tokens"/>, each once, ascending.</returns>
    public IReadOnlyCollection<int> Of(string prompt, SampledText sampled)
    {
        var completion = sampled.ToCompletion(prompt, tokenizer);
        var begin = WholeWords.Begin(completion);
        var text = prompt[begin..] + completion.Text;
        var ends = Ends(sampled, prompt, start: prompt.Length - begin);
        var places = TextWords.Places(text).Where(place => sampled.Finished || place.End.Value < text.Length).ToArray();
        var words = places.SelectMany(place => TextWords.Of(text[place])).ToArray();
        var faulty = new SortedSet<int>();
        var seen = new HashSet<string>();
        for (var i = 0; i < words.Length; i++)
        {
            var tokens = Tokens(ends, places[i]);
            if (!known.Contains(words[i])) faulty.UnionWith(tokens.Count > 1 && places[i].Start.Value > 0 ? tokens.Skip(1) : tokens);
            if (i + 1 >= Run && !seen.Add(string.Join(' ', words[(i + 1 - Run)..(i + 1)]))) faulty.UnionWith(tokens);
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
