namespace DeRa.Serving.Requests;

/// <summary>
/// The fields of a request as a transport has them. Each method gives null where the field is not set, or where the transport
/// does not carry it, and throws <see cref="InvalidRequestException"/> where it holds something else.
/// </summary>
public interface IFieldSource
{
    /// <summary>The name under which the client sent a field that has a synonym.</summary>
    string SentName(RequestField field);

    /// <summary>A number.</summary>
    double? Number(RequestField field);

    /// <summary>A whole number of 32 bits.</summary>
    int? Whole(RequestField field);

    /// <summary>A whole number of 64 bits.</summary>
    long? Whole64(RequestField field);

    /// <summary>True or false.</summary>
    bool? Flag(RequestField field);

    /// <summary>A text.</summary>
    string? Text(RequestField field);

    /// <summary>A list of texts, or one text where the field takes that too.</summary>
    IReadOnlyList<string>? Texts(RequestField field);

    /// <summary>A list of token ids.</summary>
    IReadOnlyList<int>? TokenIds(RequestField field);

    /// <summary>A list of numbers.</summary>
    IReadOnlyList<double>? Numbers(RequestField field);

    /// <summary>Numbers by token id.</summary>
    IReadOnlyDictionary<int, double>? TokenNumbers(RequestField field);

    /// <summary>Numbers by name; not empty.</summary>
    IReadOnlyDictionary<string, double>? NamedNumbers(RequestField field);

    /// <summary>A schedule of strengths.</summary>
    ScheduleInput? Schedule(RequestField field);

    /// <summary>How many likeliest tokens come with measures, 0 where measures alone are asked for; null where none are.</summary>
    int? Measures(RequestField field);
}
