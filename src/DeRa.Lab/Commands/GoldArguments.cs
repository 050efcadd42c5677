using System.CommandLine;
using DeRa.Lab.Evaluation;

namespace DeRa.Lab.Commands;

/// <summary>The options of the independent measure of stories.</summary>
internal sealed class GoldArguments
{
    private readonly Option<string?> _vader = new("--vader")
    {
        Description = "VADER's lexicon (a word, a tab and its mean valence a line): also measures gold, which is VADER's score of a text "
            + "less 10 times the share of malformed words and 2 times that of repeated runs of four words; with --known-words",
    };

    private readonly Option<string[]> _knownWords = new("--known-words")
    {
        Description = "Word lists or texts: a word that is in none of them counts as malformed; with --vader",
        AllowMultipleArgumentsPerToken = true,
    };

    public void AddTo(Command command)
    {
        command.Add(_vader);
        command.Add(_knownWords);
    }

    /// <summary>The measure; null where it is not asked for.</summary>
    /// <exception cref="LabException">One option is given without the other, or a file cannot be used.</exception>
    public GoldMeasure? Measure(ParseResult parsed)
    {
        var (vader, known) = (parsed.GetValue(_vader), parsed.GetValue(_knownWords) ?? []);
        if (vader is null != (known.Length == 0))
            throw new LabException($"{_vader.Name} and {_knownWords.Name} go together: gold needs both.");
        return vader is null ? null : new GoldMeasure(VaderLexicon.Read(vader), KnownWords.Read(known));
    }
}
