using System.Xml.Linq;
using DeRa.Architecture.Tests.Rules;
using DeRa.Testing;
using Xunit;

namespace DeRa.Architecture.Tests;

public class ProjectTests
{
    public static TheoryData<string> Projects => [.. SourceProject.Source.Keys];

    [Fact]
    public void Each_project_has_a_row_in_the_table_and_each_row_a_project()
    {
        var rows = ProjectTable.Rows.Select(row => row.Name).ToList();
        Report.None([
            .. SourceProject.Source.Keys.Except(rows).Select(name => $"{name} has no row: add one with what it may know."),
            .. rows.Except(SourceProject.Source.Keys).Select(name => $"{name} has a row, but there is no such project."),
        ]);
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_references_only_those_that_its_row_allows(string project) =>
        Report.None(ProjectRules.ForbiddenProjectReferences(ProjectTable.Row(project), SourceProject.Source[project].Document));

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_uses_only_types_that_its_row_allows(string project) =>
        Report.None(ProjectRules.ForbiddenUses(ProjectTable.Row(project), SourceProject.Source[project].Module.TopTypes()));

    [Theory]
    [MemberData(nameof(Projects))]
    public void No_namespaces_of_a_project_form_a_cycle(string project) =>
        Report.None(new NamespaceGraph(SourceProject.Source[project].Module.TopTypes()).Cycles());

    [Theory]
    [InlineData("src")]
    [InlineData("tests")]
    public void No_project_compiles_another_projects_files(string area) =>
        Report.None(
            from folder in Directory.GetDirectories(Path.Combine(SharedData.ProjectRoot, area))
            from path in SourceFiles.Of(folder, "*.csproj", "*.props", "*.targets")
            from linked in ProjectRules.LinkedSources(XDocument.Load(path))
            select $"{Path.GetFileName(path)} compiles {linked}",
            "Share code through a project instead: for tests that is DeRa.Testing.");
}
