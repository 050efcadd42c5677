namespace DeRa.Engine.Branches;

/// <summary>How far one model of a branch has come.</summary>
internal struct ModelProgress
{
    /// <summary>Tokens of its context that its cache holds.</summary>
    public int ComputedTokens;

    /// <summary>One past the largest output index whose row is kept.</summary>
    public int KeptEnd;

    /// <summary>Tokens that it did not have to run before the prompt was read.</summary>
    public int SkippedTokens;
}
