using System.Diagnostics.CodeAnalysis;

namespace DeRa.Text.Templates.Values;

/// <summary>A Python dict in the order of insertion; never changed once a template can see it.</summary>
internal sealed class DictValue
{
    private readonly OrderedDictionary<object, object> _entries = new(KeyComparer.Instance);

    public int Count => _entries.Count;

    public IEnumerable<object> Keys => _entries.Keys;

    public IEnumerable<KeyValuePair<object, object>> Entries => _entries;

    /// <summary>Adds an entry, or gives the one of an equal key another value.</summary>
    public void Set(object key, object value) => _entries[Hashable(key)] = value;

    public bool TryGet(object key, TemplateRun run, [MaybeNullWhen(false)] out object value)
    {
        if (key is string text) run.CountText(text.Length);
        return _entries.TryGetValue(Hashable(key), out value);
    }

    private static object Hashable(object key) => key is string or bool or long or double or None or Undefined ? key
        : throw new ChatTemplateException($"'{PythonType.Name(key)}' cannot be the key of a dict here");
}
