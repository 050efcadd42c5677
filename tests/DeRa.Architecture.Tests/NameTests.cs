using DeRa.Architecture.Tests.Rules;
using Xunit;

namespace DeRa.Architecture.Tests;

public class NameTests
{
    public static TheoryData<string> Projects => [.. SourceProject.Source.Keys];

    [Theory]
    [MemberData(nameof(Projects))]
    public void No_type_and_no_member_has_an_old_name(string project) =>
        Report.None(OldNames.In(SourceProject.Source[project].Module.TopTypes())
            .Where(found => !OldNames.Exceptions.ContainsKey(found.Name)).Select(found => found.Message).Order(StringComparer.Ordinal),
            $"Rename; where the old word is the right one, give the reason in {nameof(OldNames)}.{nameof(OldNames.Exceptions)}.");

    [Fact]
    public void Each_exception_is_of_use()
    {
        var found = SourceProject.Source.Values
            .SelectMany(project => OldNames.In(project.Module.TopTypes())).Select(found => found.Name).ToHashSet();
        Report.None(OldNames.Exceptions.Keys.Where(name => !found.Contains(name)),
            "Nothing with an old word has these names: remove the exceptions.");
    }

    [Fact]
    public void The_engine_names_no_request_field_and_no_option() =>
        Report.None(WireNames.In(SourceProject.Source["DeRa.Engine"].Module.TopTypes()
            // Metrics are named in snake_case, by the engine.
            .Where(type => !type.Namespace.EndsWith(".Telemetry", StringComparison.Ordinal))),
            "The engine reports what is wrong as a value (an enum, a property); transports know the names of fields and options.");
}
