namespace DeRa.Serving.Requests;

/// <summary>
/// A field of a request, declared once: readers, validator and API reference are made from it. Immutable; any thread.
/// </summary>
/// <param name="Name">Its name on the wire.</param>
/// <param name="Form">What values it takes.</param>
/// <param name="Description">What it does, for the API reference.</param>
public record RequestField(string Name, Func<FieldContext, ValueForm> Form, Func<FieldContext, string> Description)
{
    /// <summary>A field that is the same whatever is served.</summary>
    /// <param name="name">Its name on the wire.</param>
    /// <param name="form">What values it takes.</param>
    /// <param name="description">What it does.</param>
    public RequestField(string name, ValueForm form, string description) : this(name, _ => form, description)
    {
    }

    /// <summary>A field whose range depends on what is served.</summary>
    /// <inheritdoc cref="RequestField(string, ValueForm, string)"/>
    public RequestField(string name, Func<FieldContext, ValueForm> form, string description) : this(name, form, _ => description)
    {
    }

    /// <summary>What holds where it is not set: a number, a flag or a text; null = nothing that could be named.</summary>
    public Func<FieldContext, object>? Default { get; init; }

    /// <summary>Whether it must be there.</summary>
    public bool IsRequired { get; init; }

    /// <summary>Another name for it over HTTP; null = none.</summary>
    public string? Synonym { get; init; }

    /// <summary>Its name among gRPC's <c>GenerationOptions</c>; where these have none of that name, gRPC does not carry it there.</summary>
    public string GrpcName { get; init; } = Name;

    /// <summary>Whether it takes one text in place of a list of texts.</summary>
    public bool TakesOneText { get; init; }

    /// <summary>Whether it takes false, which is the same as not set.</summary>
    public bool TakesFalse { get; init; }

    /// <summary>Reads it into the request; null = an endpoint reads it in its own way.</summary>
    public Func<IFieldSource, RequestField, GenerationInput, GenerationInput>? Reader { get; init; }

    /// <summary>Reads it into the request.</summary>
    /// <param name="source">Where it is read from.</param>
    /// <param name="input">The request so far.</param>
    /// <returns>The request with it.</returns>
    /// <exception cref="InvalidRequestException">It is of the wrong type.</exception>
    public virtual GenerationInput Read(IFieldSource source, GenerationInput input) => Reader?.Invoke(source, this, input) ?? input;

    /// <summary>Its synonym as a field, which is described and not read.</summary>
    /// <exception cref="InvalidOperationException">It has none.</exception>
    public RequestField AsSynonym() => this with
    {
        Name = Synonym ?? throw new InvalidOperationException($"'{Name}' has no synonym."),
        Description = _ => $"Another name for {Name}.",
        Default = null,
        Synonym = null,
        Reader = null,
    };
}
