using System.Security.Cryptography;

namespace DeRa.Server.Composition;

/// <summary>Ids of requests: made here, never taken from a client, so that nobody can name another's request.</summary>
internal static class RequestIds
{
    private const int Length = 32;

    /// <summary>A new id: 128 random bits in hexadecimal.</summary>
    public static string New() => RandomNumberGenerator.GetHexString(Length, lowercase: true);
}
