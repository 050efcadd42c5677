namespace DeRa.Server.Http.Wire;

/// <summary>What is done with a field of a request.</summary>
internal enum FieldUse
{
    /// <summary>It is read.</summary>
    Read,

    /// <summary>It is taken and changes nothing.</summary>
    Taken,

    /// <summary>It is ignored and listed: other servers know it.</summary>
    OfOtherServers,

    /// <summary>It is ignored and listed: nobody knows it.</summary>
    Unknown,
}
