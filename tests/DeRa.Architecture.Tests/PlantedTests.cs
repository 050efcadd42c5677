using System.Xml.Linq;
using DeRa.Architecture.Tests.Planted;
using DeRa.Architecture.Tests.Rules;
using Mono.Cecil;
using Xunit;

namespace DeRa.Architecture.Tests;

/// <summary>The rules find what is planted against them in this assembly: they can fail.</summary>
public class PlantedTests
{
    private const string Planted = "DeRa.Architecture.Tests.Planted";

    private static readonly ModuleDefinition Module = SourceProject.Read(typeof(PlantedTests).Assembly.Location);

    [Fact]
    public void A_planted_cycle_is_found_with_its_references_and_nothing_beside_it()
    {
        var cycle = Assert.Single(new NamespaceGraph(InNamespace(Planted + ".Cycle.")).Cycles());
        Assert.Contains($"{Planted}.Cycle.Low → {Planted}.Cycle.Middle: Entry → Step", cycle, StringComparison.Ordinal);
        Assert.Contains($"{Planted}.Cycle.Middle → {Planted}.Cycle.High: Step → Program", cycle, StringComparison.Ordinal);
        Assert.Contains($"{Planted}.Cycle.High → {Planted}.Cycle.Low: Program → Entry", cycle, StringComparison.Ordinal);
        Assert.DoesNotContain("Outside", cycle, StringComparison.Ordinal);
    }

    [Fact]
    public void Namespaces_without_a_cycle_pass() =>
        Assert.Empty(new NamespaceGraph(InNamespace(Planted + ".Cycle.").Where(type => type.Name != "Program")).Cycles());

    [Fact]
    public void A_planted_upward_reference_is_found_and_an_allowed_one_is_not()
    {
        var types = Module.Types.Where(type => type.Name == nameof(UpwardReference)).ToList();
        var found = Assert.Single(ProjectRules.ForbiddenUses(ProjectTable.Row("DeRa.Text"), types));
        Assert.StartsWith("DeRa.Text may not use DeRa.Engine;", found, StringComparison.Ordinal);
        Assert.Contains($"{Planted}.{nameof(UpwardReference)} → ", found, StringComparison.Ordinal);
        Assert.Empty(ProjectRules.ForbiddenUses(ProjectTable.Row("DeRa.Torch"), types));
    }

    [Fact]
    public void A_library_that_the_row_does_not_name_is_found()
    {
        var types = Module.Types.Where(type => type.Name == nameof(Report));
        var found = Assert.Single(ProjectRules.ForbiddenUses(ProjectTable.Row("DeRa.Engine"), types));
        Assert.StartsWith("DeRa.Engine may not use xunit.v3.assert;", found, StringComparison.Ordinal);
    }

    [Fact]
    public void A_planted_project_reference_and_a_planted_link_are_found()
    {
        var project = XDocument.Parse("""
            <Project><ItemGroup>
              <ProjectReference Include="..\DeRa.Torch\DeRa.Torch.csproj" />
              <Compile Include="Own.cs;../DeRa.Server/KeyHash.cs" Link="KeyHash.cs" />
            </ItemGroup></Project>
            """);
        Assert.Equal(["DeRa.Engine may not reference DeRa.Torch; it may reference nothing of ours."],
            ProjectRules.ForbiddenProjectReferences(ProjectTable.Row("DeRa.Engine"), project));
        Assert.Empty(ProjectRules.ForbiddenProjectReferences(ProjectTable.Row("DeRa.Lab"), project));
        Assert.Equal(["../DeRa.Server/KeyHash.cs"], ProjectRules.LinkedSources(project));
    }

    [Fact]
    public void Planted_old_words_are_found_as_whole_words() =>
        Assert.Equal(
            [
                $"{Planted}.HttpDoors: 'Doors' should be: endpoint, entry point",
                $"{Planted}.HttpDoors._limitInForce: 'In Force' should be: effective",
            ],
            OldNames.In(Module.Types.Where(type => type.Name == nameof(HttpDoors))).Select(found => found.Message));

    [Fact]
    public void A_planted_wire_name_is_found() =>
        Assert.Equal([$"{Planted}.HttpDoors: \"max_tokens must be positive; see --max-tokens\""],
            WireNames.In(Module.Types.Where(type => type.Name == nameof(HttpDoors))));

    private static IEnumerable<TypeDefinition> InNamespace(string prefix) =>
        Module.Types.Where(type => type.Namespace.StartsWith(prefix, StringComparison.Ordinal));
}
