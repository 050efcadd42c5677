namespace DeRa.Torch.Configuration;

/// <summary>The largest sizes that a configuration may ask for: beyond them it is taken for a broken or hostile file.</summary>
internal static class ConfigLimits
{
    public const int MaxContextTokens = 1 << 27;
    public const int MaxLayers = 1024;
    public const int MaxWidth = 1 << 20;
    public const int MaxVocabulary = 1 << 24;
}
