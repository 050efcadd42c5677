using System.Diagnostics;
using System.Reflection;
using DeRa.Testing;
using DeRa.Testing.Server;
using Xunit;

namespace DeRa.Clients.Tests.Own;

/// <summary>The package of DeRa's own client is installed into an empty folder, where the program of its readme is built and run.</summary>
public sealed class PackageTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task It_is_installed_and_the_program_of_its_readme_talks_to_a_server()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("Good day"));
        var project = Path.Combine(SharedData.ProjectRoot, "src", "DeRa.Client");
        await DotNetAsync("pack", project, "--no-build", "-c", About("Configuration"), "-o", _folder.Path);
        var readme = await File.ReadAllTextAsync(Path.Combine(project, "README.md"), ServerFixture.Stop);
        _folder.Write("Program.cs", readme.Split("```csharp\n")[1].Split("```")[0]
            .Replace("http://localhost:8080", server.Http.BaseAddress!.ToString(), StringComparison.Ordinal));
        // Packages of the machine are read where they lie, ours is unpacked here; nothing is asked for over the network.
        _folder.Write("nuget.config", $"""
            <configuration>
              <packageSources><clear /><add key="here" value="{_folder.Path}" /></packageSources>
              <fallbackPackageFolders><clear /><add key="machine" value="{About("NuGetPackageRoot")}" /></fallbackPackageFolders>
              <config><add key="globalPackagesFolder" value="{Path.Combine(_folder.Path, "packages")}" /></config>
            </configuration>
            """);
        _folder.Write("Program.csproj", $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <ImplicitUsings>enable</ImplicitUsings>
                <Nullable>enable</Nullable>
                <NuGetAudit>false</NuGetAudit>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="DeRa.Client" Version="{About("Version")}" />
              </ItemGroup>
            </Project>
            """);
        var said = await DotNetAsync("run", "--project", _folder.Path);
        Assert.Equal("Good day[λ = 1.5]", said.Trim());
    }

    private static string About(string name) => Assembly.GetExecutingAssembly().GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(about => about.Key == name).Value!;

    private static async Task<string> DotNetAsync(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("dotnet", arguments)
        {
            RedirectStandardOutput = true,
            Environment = { ["MSBUILDDISABLENODEREUSE"] = "1", ["DOTNET_CLI_USE_MSBUILD_SERVER"] = "0" },
        })!;
        var output = await process.StandardOutput.ReadToEndAsync(ServerFixture.Stop);
        await process.WaitForExitAsync(ServerFixture.Stop);
        Assert.True(process.ExitCode == 0, output);
        return output;
    }
}
