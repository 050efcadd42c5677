namespace DeRa.Cli.Simulate;

/// <summary>What a simulation measured, over the second half of its requests.</summary>
/// <param name="Options">What was simulated.</param>
/// <param name="Requests">How many counted.</param>
/// <param name="CachedShare">Tokens of prompts that were cached.</param>
/// <param name="FirstChoices">Requests that went where their beginning comes to first; 0 where the policy has no such place.</param>
/// <param name="MaxOverMean">The largest load of a replica over the mean load, in the mean over time.</param>
/// <param name="FirstTokenP50">Seconds to the first token that half of the requests took at most.</param>
/// <param name="FirstTokenP99">The same of 99 in 100.</param>
/// <param name="TotalP99">Seconds to the last token of 99 in 100.</param>
/// <param name="MovedByLeaving">Keys that come to another replica first once one has gone; null as above.</param>
/// <param name="MovedByJoining">The same once one more has come.</param>
internal sealed record SimulationReport(
    SimulationOptions Options, int Requests, double CachedShare, double FirstChoices, double MaxOverMean,
    double FirstTokenP50, double FirstTokenP99, double TotalP99, double? MovedByLeaving, double? MovedByJoining);
