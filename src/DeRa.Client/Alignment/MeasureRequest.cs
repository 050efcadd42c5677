namespace DeRa.Client.Alignment;

/// <summary>Asks what each model and the mixture say of every generated token. It changes no token.</summary>
/// <param name="Top">So many likeliest tokens of each distribution; 0 to 20.</param>
public sealed record MeasureRequest(int Top = 0);
