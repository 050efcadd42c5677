using System.CommandLine;
using DeRa.Lab.Data;
using DeRa.Lab.Evaluation;
using DeRa.Lab.Training;
using DeRa.Lab.Unlikelihood;
using DeRa.Text;

namespace DeRa.Lab.Commands;

/// <summary>The options of <c>train</c> that let a model unlearn its own faults.</summary>
internal sealed class UnlikelihoodArguments
{
    private const int BeginTokens = 12;

    private readonly Option<double> _weight = new("--unlikelihood")
    {
        Description = "With --from: each step also draws completions from the model at temperature 0.7, of prompts of the texts or of "
            + $"their first {BeginTokens} tokens, and makes faulty tokens in them less likely (words that are not in --known-words, the "
            + "fourth word of a run that occurred before); the weight of that beside the texts' loss, 0 to 100",
    };

    private readonly Option<int> _completions = WholeNumberOption.Create("--unlikelihood-completions", "These completions, a step", 64);

    private readonly Option<string[]> _knownWords = new("--known-words")
    {
        Description = "Word lists or texts, with --unlikelihood",
        AllowMultipleArgumentsPerToken = true,
    };

    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[_weight, _completions, _knownWords]) command.Add(option);
    }

    /// <summary>Whether it is asked for.</summary>
    /// <exception cref="LabException">The options do not go together, or the weight is out of its range.</exception>
    public bool AreGiven(ParseResult parsed, bool isFineTuning)
    {
        var (weight, words) = (parsed.GetValue(_weight), parsed.GetValue(_knownWords) is { Length: > 0 });
        if (!(weight is >= 0 and <= 100))
            throw new LabException(FormattableString.Invariant($"{_weight.Name} is {weight}; it must be between 0 and 100."));
        if (weight > 0 && !isFineTuning) throw new LabException($"{_weight.Name} needs --from: a new model has nothing to unlearn.");
        return weight > 0 == words ? weight > 0
            : throw new LabException($"{_weight.Name} (above 0) and {_knownWords.Name} go together.");
    }

    /// <summary>Language modelling with unlikelihood.</summary>
    /// <exception cref="LabException">A list of words cannot be used.</exception>
    public UnlikelihoodTask Create(ParseResult parsed, LanguageModelling modelling, IEnumerable<Document> texts, ITokenizer tokenizer,
        int endToken, long seed, CancellationToken cancellation) => new(
            modelling, [.. texts.Select(text => PromptFile.Of(text, tokenizer, BeginTokens))],
            new CompletionFaults(tokenizer, KnownWords.Read(parsed.GetValue(_knownWords)!)),
            new UnlikelihoodSettings
            {
                Weight = parsed.GetValue(_weight),
                Completions = parsed.GetValue(_completions),
                Seed = seed,
            },
            endToken, cancellation);
}
