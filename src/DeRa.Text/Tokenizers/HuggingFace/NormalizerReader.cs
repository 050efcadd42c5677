using System.Text;

namespace DeRa.Text.Tokenizers.HuggingFace;

/// <summary>Reads the <c>normalizer</c> of a tokenizer.json: what is done to text before it is split into tokens.</summary>
internal static class NormalizerReader
{
    private const string Implemented = "Sequence, Prepend, Replace, NFC, NFD, NFKC, NFKD, Strip";

    /// <summary>Reads a normalizer; none leaves text as it is. What it returns throws where a text becomes too long.</summary>
    public static Func<string, string> Read(JsonField? field)
    {
        if (field is not { } normalizer) return text => text;
        var steps = StepList.Flatten(normalizer, "normalizers").Select(ReadStep).ToArray();
        return text =>
        {
            var most = TextGrowth.Most(text.Length);
            foreach (var step in steps)
            {
                text = step(text, most);
                TextGrowth.Check(text.Length, most);
            }
            return text;
        };
    }

    /// <summary>One step, given a text and how many characters it may become.</summary>
    private static Func<string, long, string> ReadStep(JsonField normalizer)
    {
        if (normalizer["type"].Text() == "Replace") return Replacement.Read(normalizer).Apply;
        var step = ReadUnbounded(normalizer);
        return (text, _) => step(text);
    }

    private static Func<string, string> ReadUnbounded(JsonField normalizer) => normalizer["type"].Text() switch
    {
        "Prepend" => ReadPrepend(normalizer.AllowOnly("type", "prepend")),
        "NFC" => ReadUnicodeForm(normalizer, NormalizationForm.FormC),
        "NFD" => ReadUnicodeForm(normalizer, NormalizationForm.FormD),
        "NFKC" => ReadUnicodeForm(normalizer, NormalizationForm.FormKC),
        "NFKD" => ReadUnicodeForm(normalizer, NormalizationForm.FormKD),
        "Strip" => ReadStrip(normalizer.AllowOnly("type", "strip_left", "strip_right")),
        var other => throw normalizer.Refuse($"the normalizer '{other}'", Implemented),
    };

    private static Func<string, string> ReadPrepend(JsonField prepend)
    {
        var prefix = prepend["prepend"].Text();
        return text => text.Length == 0 ? text : prefix + text;
    }

    private static Func<string, string> ReadStrip(JsonField strip)
    {
        var (left, right) = (strip["strip_left"].Flag(), strip["strip_right"].Flag());
        return text =>
        {
            if (left) text = text.TrimStart();
            return right ? text.TrimEnd() : text;
        };
    }

    private static Func<string, string> ReadUnicodeForm(JsonField field, NormalizationForm form)
    {
        field.AllowOnly("type");
        if (!UnicodeNormalizationWorks()) throw field.Error(
            "needs Unicode normalization, which .NET does not do here: install ICU (libicu) and leave InvariantGlobalization off");
        return text => UnicodeForm.Apply(text, form);
    }

    /// <summary>Without ICU, Normalize leaves text as it is instead of failing.</summary>
    private static bool UnicodeNormalizationWorks()
    {
        try
        {
            return "e\u0301".Normalize(NormalizationForm.FormC) == "\u00E9";
        }
        catch (PlatformNotSupportedException)
        {
            return false;
        }
    }
}
