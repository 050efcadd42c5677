using System.Text;

namespace DeRa.Text.Templates.Values;

/// <summary>A text that grows up to the run's limit.</summary>
internal sealed class TemplateText(TemplateRun run)
{
    private readonly StringBuilder _text = new();

    public TemplateText Append(string text)
    {
        run.CheckLength(_text.Length + (long)text.Length);
        run.CountText(text.Length);
        _text.Append(text);
        return this;
    }

    public TemplateText Append(char character)
    {
        run.CheckLength(_text.Length + 1);
        run.CountText(1);
        _text.Append(character);
        return this;
    }

    public override string ToString() => _text.ToString();
}
