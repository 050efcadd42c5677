namespace DeRa.Torch.Configuration;

/// <summary>Reads the activation by Hugging Face's names.</summary>
internal static class ActivationFields
{
    private static readonly Dictionary<string, Activation> Known = new(StringComparer.Ordinal)
    {
        ["silu"] = Activation.Silu,
        ["swish"] = Activation.Silu,
        ["gelu"] = Activation.Gelu,
        ["gelu_python"] = Activation.Gelu,
        ["gelu_new"] = Activation.GeluTanh,
        ["gelu_fast"] = Activation.GeluTanh,
        ["gelu_pytorch_tanh"] = Activation.GeluTanh,
        ["quick_gelu"] = Activation.QuickGelu,
        ["relu"] = Activation.Relu,
    };

    /// <summary>The activation that a field names.</summary>
    /// <param name="fields">A configuration.</param>
    /// <param name="field">The field's name.</param>
    /// <param name="defaultValue">What Hugging Face assumes where it is absent.</param>
    public static Activation Read(ConfigFields fields, string field, string defaultValue)
    {
        var name = fields.String(field) ?? defaultValue;
        return Known.TryGetValue(name, out var activation)
            ? activation
            : throw fields.Invalid(field, $"is '{name}', which is not supported (supported: {string.Join(", ", Known.Keys)})");
    }
}
