using System.Text;

namespace DeRa.Serving.Sweeps.Reports;

/// <summary>HTML or SVG that grows line by line; numbers are written as every culture's parser of it reads them.</summary>
internal sealed class MarkupLines
{
    private readonly StringBuilder _text = new();

    /// <summary>Adds a line.</summary>
    /// <param name="text">What is in it is not escaped.</param>
    public MarkupLines Add(FormattableString text)
    {
        _text.Append(FormattableString.Invariant(text)).Append('\n');
        return this;
    }

    /// <summary>All lines.</summary>
    public override string ToString() => _text.ToString();
}
