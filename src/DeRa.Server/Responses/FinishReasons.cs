using DeRa.Engine.Requests;

namespace DeRa.Server.Responses;

/// <summary>Formats finish reasons as OpenAI does.</summary>
internal static class FinishReasons
{
    /// <summary><c>stop</c> or <c>length</c>.</summary>
    public static string Format(FinishReason reason) => reason == FinishReason.Length ? "length" : "stop";
}
