namespace DeRa.Engine;

/// <summary>Whether models guess tokens ahead for each other. It changes how fast tokens come, never which.</summary>
public enum Speculation
{
    /// <summary>Whichever of the two is faster, as measured.</summary>
    Auto,

    /// <summary>The models take turns, and the one that has run guesses the next token for the others, wherever they can.</summary>
    On,

    /// <summary>All models run every token in the same step.</summary>
    Off,
}
