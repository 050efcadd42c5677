using System.Text;

namespace DeRa.Engine.Text.HuggingFace;

/// <summary>Reads the <c>normalizer</c> of a tokenizer.json: what is done to text before it is cut into tokens.</summary>
internal static class NormalizerReader
{
    private const string Implemented = "Sequence, Prepend, Replace, NFC, NFD, NFKC, NFKD, Strip";

    /// <summary>Reads a normalizer; none leaves text as it is.</summary>
    public static Func<string, string> Read(JsonField? field)
    {
        if (field is not { } normalizer) return text => text;
        return normalizer["type"].Text() switch
        {
            "Sequence" => ReadSequence(normalizer.AllowOnly("type", "normalizers")),
            "Prepend" => ReadPrepend(normalizer.AllowOnly("type", "prepend")),
            "Replace" => ReplaceReader.Read(normalizer),
            "NFC" => ReadUnicodeForm(normalizer, NormalizationForm.FormC),
            "NFD" => ReadUnicodeForm(normalizer, NormalizationForm.FormD),
            "NFKC" => ReadUnicodeForm(normalizer, NormalizationForm.FormKC),
            "NFKD" => ReadUnicodeForm(normalizer, NormalizationForm.FormKD),
            "Strip" => ReadStrip(normalizer.AllowOnly("type", "strip_left", "strip_right")),
            var other => throw normalizer.Refuse($"the normalizer '{other}'", Implemented),
        };
    }

    private static Func<string, string> ReadSequence(JsonField sequence)
    {
        var steps = sequence["normalizers"].Items().Select(item => Read(item)).ToArray();
        return text => steps.Aggregate(text, (current, step) => step(current));
    }

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
