using DeRa.Engine.Scheduling;

namespace DeRa.Serving.Requests;

/// <summary>What the ranges, defaults and descriptions of fields depend on.</summary>
/// <param name="Names">The names under which the pair is served.</param>
/// <param name="Defaults">What holds where a request says nothing.</param>
/// <param name="Limits">What a request may ask for.</param>
/// <param name="Capacity">What the loaded models and their cache can take.</param>
public sealed record FieldContext(ServedNames Names, GenerationDefaults Defaults, RequestLimits Limits, ExecutorLimits Capacity)
{
    /// <summary>Token ids.</summary>
    public NumberRange Tokens => NumberRange.Whole(0, Capacity.VocabularySize - 1);

    /// <summary>Strengths of an aligned model, and their sum.</summary>
    public NumberRange Strengths => new(Limits.MinStrength, Limits.MaxStrength);

    /// <summary>How many likeliest tokens may be reported.</summary>
    public NumberRange Alternatives => NumberRange.Whole(0, Limits.MaxLogprobs);

    /// <summary>How long a request may take: the sooner of its own <c>timeout</c> and the server's; null = as long as it takes.</summary>
    /// <param name="timeoutSeconds">What the request asks for; null = nothing.</param>
    /// <exception cref="InvalidRequestException">It is out of range.</exception>
    public TimeSpan? Deadline(double? timeoutSeconds)
    {
        var field = RequestFields.Timeout;
        if (timeoutSeconds is not { } seconds) return Limits.MaxDuration;
        var own = TimeSpan.FromSeconds(field.Range(this).Check(field.Name, seconds, field.What));
        return Limits.MaxDuration < own ? Limits.MaxDuration : own;
    }

    /// <summary>How many tokens may be generated after a prompt, which has at least one.</summary>
    /// <param name="least">The least.</param>
    public NumberRange NewTokens(int least) => NumberRange.Whole(least, Capacity.ContextTokens - 1) with { IsOpen = true };
}
