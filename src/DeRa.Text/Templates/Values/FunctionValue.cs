namespace DeRa.Text.Templates.Values;

/// <summary>Something that a template can call: a built-in function, a method or a macro.</summary>
internal sealed record FunctionValue(string Name, Func<TemplateRun, Arguments, object> Call);
