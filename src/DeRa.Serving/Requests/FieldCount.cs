namespace DeRa.Serving.Requests;

/// <summary>Checks how many entries a field has.</summary>
internal static class FieldCount
{
    /// <param name="field">The field.</param>
    /// <param name="count">How many it has.</param>
    /// <param name="high">How many it may have.</param>
    /// <param name="what">What they are, for the error.</param>
    /// <exception cref="InvalidRequestException">It has more.</exception>
    public static void Check(string field, int count, int high, string what)
    {
        if (count > high) throw new InvalidRequestException(field, $"'{field}' has {count} {what}; at most {high} are allowed.");
    }
}
