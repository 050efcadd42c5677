namespace DeRa.Chart.Tests.Rendering;

/// <summary>A template says something that cannot be rendered, or refuses the values with <c>fail</c>.</summary>
public sealed class TemplateException(string message) : Exception(message);
