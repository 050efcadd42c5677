namespace DeRa.Text.Templates.Values;

/// <summary>Python's <c>None</c>: no C# null is ever a value.</summary>
internal sealed class None
{
    public static readonly None Value = new();

    private None()
    {
    }
}
