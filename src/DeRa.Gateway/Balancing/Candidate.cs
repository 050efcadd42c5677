namespace DeRa.Gateway.Balancing;

/// <summary>A replica that a request may go to.</summary>
/// <param name="Id">Its name's hash (<see cref="RendezvousHash.OfName"/>), which keys are ordered by.</param>
/// <param name="Load">Requests that run or wait there, at least 0.</param>
/// <param name="Share">How much of a full replica's load it may have, above 0, at most 1: less while it starts slowly.</param>
public readonly record struct Candidate(ulong Id, double Load, double Share = 1);

/// <summary>Where a request goes.</summary>
/// <param name="Index">Which of the candidates.</param>
/// <param name="IsFirst">Whether it is the one that the request's key comes to first; false where it has no key.</param>
public readonly record struct Choice(int Index, bool IsFirst);
