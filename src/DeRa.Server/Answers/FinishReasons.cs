using DeRa.Engine.Requests;

namespace DeRa.Server.Answers;

/// <summary>Spells finish reasons as OpenAI does.</summary>
internal static class FinishReasons
{
    /// <summary><c>stop</c> or <c>length</c>.</summary>
    public static string Spell(FinishReason reason) => reason == FinishReason.Length ? "length" : "stop";
}
