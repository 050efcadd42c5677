namespace DeRa.Text.Templates.Values;

/// <summary>What <c>namespace()</c> makes: the one value whose attributes a template may set.</summary>
internal sealed class NamespaceValue
{
    public Dictionary<string, object> Attributes { get; } = new(StringComparer.Ordinal);
}
