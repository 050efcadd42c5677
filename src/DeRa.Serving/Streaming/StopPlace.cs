namespace DeRa.Serving.Streaming;

/// <summary>A place in an answer, in UTF-16 units from its start.</summary>
/// <param name="Visible">Units of visible text before it.</param>
/// <param name="Spelled">Units before it where hidden tokens are spelled out too.</param>
/// <param name="IsInsideToken">Whether it lies within the spelling of a hidden token, where no stop string begins.</param>
internal readonly record struct StopPlace(int Visible, int Spelled, bool IsInsideToken = false)
{
    /// <summary>Units of hidden tokens' spellings before it.</summary>
    public int Hidden => Spelled - Visible;
}
