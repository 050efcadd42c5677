namespace DeRa.Engine.Scheduling;

/// <summary>Whether the models take turns and guess tokens for each other to check. It never changes a token, only speed.</summary>
public enum Speculation
{
    /// <summary>Measured: whichever is faster at the batch's size.</summary>
    Auto,

    /// <summary>Wherever it can be done.</summary>
    On,

    /// <summary>Never: all models run every token in the same step.</summary>
    Off,
}
