using System.Globalization;

namespace DeRa.Text.Templates.Values;

/// <summary>Python's <c>str()</c> and <c>repr()</c> of values.</summary>
internal static class PythonText
{
    public static string Of(object value, TemplateRun run) => value switch
    {
        string text => text,
        Undefined => "",
        _ => Repr(value, run),
    };

    public static string Repr(object value, TemplateRun run)
    {
        var text = new TemplateText(run);
        Write(value, text, run);
        return text.ToString();
    }

    private static void Write(object value, TemplateText text, TemplateRun run)
    {
        run.Descend();
        switch (value)
        {
            case string content:
                run.CountText(content.Length);
                Quote(content, text);
                break;
            case ListValue list: WriteList(list, text, run); break;
            case DictValue dict: WriteDict(dict, text, run); break;
            default: text.Append(Scalar(value)); break;
        }
        run.Leave();
    }

    private static string Scalar(object value) => value switch
    {
        None => "None",
        bool flag => flag ? "True" : "False",
        long number => number.ToString(CultureInfo.InvariantCulture),
        double number => PythonNumber.Text(number),
        Undefined => "Undefined",
        _ => $"<{PythonType.Name(value)}>",
    };

    private static void WriteList(ListValue list, TemplateText text, TemplateRun run)
    {
        text.Append(list.IsTuple ? '(' : '[');
        for (var i = 0; i < list.Items.Count; i++)
        {
            if (i > 0) text.Append(", ");
            Write(list.Items[i], text, run);
        }
        text.Append(!list.IsTuple ? "]" : list.Items.Count == 1 ? ",)" : ")");
    }

    private static void WriteDict(DictValue dict, TemplateText text, TemplateRun run)
    {
        text.Append('{');
        var first = true;
        foreach (var (key, value) in dict.Entries)
        {
            if (!first) text.Append(", ");
            first = false;
            Write(key, text, run);
            text.Append(": ");
            Write(value, text, run);
        }
        text.Append('}');
    }

    private static void Quote(string content, TemplateText text)
    {
        var quote = content.Contains('\'', StringComparison.Ordinal) && !content.Contains('"', StringComparison.Ordinal) ? '"' : '\'';
        text.Append(quote);
        for (var i = 0; i < content.Length; i++)
        {
            var pair = char.IsHighSurrogate(content[i]) && i + 1 < content.Length && char.IsLowSurrogate(content[i + 1]);
            text.Append(pair ? content.Substring(i++, 2) : Escape(content[i], quote));
        }
        text.Append(quote);
    }

    private static string Escape(char character, char quote) => character switch
    {
        '\\' => @"\\",
        '\n' => @"\n",
        '\r' => @"\r",
        '\t' => @"\t",
        _ when character == quote => $@"\{character}",
        _ when IsPrintable(character) => character.ToString(),
        < '\u0100' => $@"\x{(int)character:x2}",
        _ => $@"\u{(int)character:x4}",
    };

    private static bool IsPrintable(char character) => character == ' ' || Sentinels.Contains(character)
        || char.GetUnicodeCategory(character) is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate
            or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned or UnicodeCategory.LineSeparator
            or UnicodeCategory.ParagraphSeparator or UnicodeCategory.SpaceSeparator);
}
