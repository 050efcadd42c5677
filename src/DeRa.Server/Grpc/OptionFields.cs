using DeRa.Protos.V1;
using DeRa.Serving.Requests;
using Google.Protobuf.Collections;

namespace DeRa.Server.Grpc;

/// <summary>
/// The fields of gRPC's options, found by name: an option that is in the table of request fields is read with no line of its own.
/// </summary>
/// <param name="options">The options.</param>
internal sealed class OptionFields(GenerationOptions options) : IFieldSource
{
    /// <inheritdoc/>
    public string SentName(RequestField field) => field.Name;

    /// <inheritdoc/>
    public double? Number(RequestField field) => (double?)Value(field);

    /// <inheritdoc/>
    public int? Whole(RequestField field) => (int?)Value(field);

    /// <inheritdoc/>
    public long? Whole64(RequestField field) => (long?)Value(field);

    /// <inheritdoc/>
    public bool? Flag(RequestField field) => (bool?)Value(field);

    /// <inheritdoc/>
    public string? Text(RequestField field) => (string?)Value(field);

    /// <inheritdoc/>
    public IReadOnlyList<string>? Texts(RequestField field) => Value(field) is RepeatedField<string> { Count: > 0 } texts ? texts : null;

    /// <inheritdoc/>
    public IReadOnlyList<int>? TokenIds(RequestField field) => Value(field) is RepeatedField<int> { Count: > 0 } ids ? ids : null;

    /// <inheritdoc/>
    public IReadOnlyList<double>? Numbers(RequestField field) => Value(field) is RepeatedField<double> { Count: > 0 } list ? list : null;

    /// <inheritdoc/>
    public IReadOnlyDictionary<int, double>? TokenNumbers(RequestField field) =>
        Value(field) is MapField<int, double> { Count: > 0 } map ? map.ToDictionary() : null;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, double>? NamedNumbers(RequestField field) =>
        Value(field) is MapField<string, double> { Count: > 0 } map ? map.ToDictionary() : null;

    /// <inheritdoc/>
    public ScheduleInput? Schedule(RequestField field) =>
        Value(field) is AlignmentSchedule schedule ? GrpcSchedules.Read(schedule, field.Name) : null;

    /// <inheritdoc/>
    public int? Measures(RequestField field) => Value(field) is MeasureOptions measures ? measures.Top : null;

    /// <summary>The option's value; null where it is not set, or where there is no option of that name.</summary>
    private object? Value(RequestField field) => GenerationOptions.Descriptor.FindFieldByName(field.GrpcName) is { } option
        && (!option.HasPresence || option.Accessor.HasValue(options)) ? option.Accessor.GetValue(options) : null;
}
