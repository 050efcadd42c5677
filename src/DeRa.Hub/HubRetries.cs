using System.Globalization;
using Polly;
using Polly.Retry;

namespace DeRa.Hub;

/// <summary>Tries again what may pass: first after about a second, each time about twice as long, or as long as the server asks.</summary>
internal static class HubRetries
{
    /// <summary>How often one thing is tried again.</summary>
    public const int Most = 5;

    /// <summary>The longest that a server may make us wait; the Hub counts requests over five minutes.</summary>
    public static readonly TimeSpan LongestAsked = TimeSpan.FromMinutes(5);

    /// <param name="time">The clock of waits.</param>
    /// <param name="notice">Called before each wait with what failed and what happens next.</param>
    public static ResiliencePipeline Create(TimeProvider time, Action<string> notice) =>
        new ResiliencePipelineBuilder { TimeProvider = time }.AddRetry(new RetryStrategyOptions
        {
            MaxRetryAttempts = Most,
            Delay = TimeSpan.FromSeconds(1),
            MaxDelay = TimeSpan.FromSeconds(30),
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            ShouldHandle = new PredicateBuilder().Handle<HubException>(exception => exception.MayPass),
            DelayGenerator = arguments => new((arguments.Outcome.Exception as HubException)?.RetryAfter),
            OnRetry = arguments =>
            {
                notice(string.Create(CultureInfo.InvariantCulture, $"{arguments.Outcome.Exception?.Message} Trying again in "
                    + $"{arguments.RetryDelay.TotalSeconds:0} s ({arguments.AttemptNumber + 1} of {Most})."));
                return default;
            },
        })
        .Build();
}
