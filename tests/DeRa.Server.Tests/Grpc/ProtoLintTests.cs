using System.Text.RegularExpressions;
using DeRa.Protos.V1;
using Google.Protobuf.Reflection;
using Xunit;

namespace DeRa.Server.Tests.Grpc;

/// <summary>The main rules of buf's STANDARD lint (protos/buf.yaml), which clients in other languages rely on.</summary>
public class ProtoLintTests
{
    private static readonly FileDescriptor File = InferenceReflection.Descriptor;

    [Fact]
    public void The_file_lies_in_its_package_s_folder() =>
        Assert.Equal(("dera.v1", "dera/v1/inference.proto"), (File.Package, File.Name));

    [Fact]
    public void Services_end_in_Service_and_each_method_has_messages_of_its_own()
    {
        var used = new List<string>();
        foreach (var service in File.Services)
        {
            Assert.EndsWith("Service", service.Name, StringComparison.Ordinal);
            foreach (var method in service.Methods)
            {
                Assert.Equal((method.Name + "Request", method.Name + "Response"), (method.InputType.Name, method.OutputType.Name));
                used.AddRange([method.InputType.Name, method.OutputType.Name]);
            }
        }
        Assert.Equal(used.Distinct(), used);
    }

    [Fact]
    public void Enum_values_are_prefixed_and_zero_means_nothing()
    {
        Assert.NotEmpty(File.EnumTypes);
        foreach (var type in File.EnumTypes)
        {
            var prefix = Regex.Replace(type.Name, "(?<=[a-z])(?=[A-Z])", "_").ToUpperInvariant() + "_";
            Assert.All(type.Values, value => Assert.StartsWith(prefix, value.Name, StringComparison.Ordinal));
            Assert.Equal(prefix + "UNSPECIFIED", type.FindValueByNumber(0).Name);
        }
    }

    [Fact]
    public void Names_are_in_their_cases()
    {
        foreach (var message in File.MessageTypes)
        {
            Assert.Matches("^[A-Z][A-Za-z0-9]*$", message.Name);
            Assert.All(message.Fields.InDeclarationOrder(), field => Assert.Matches("^[a-z][a-z0-9]*(_[a-z0-9]+)*$", field.Name));
            Assert.All(message.Oneofs, oneof => Assert.Matches("^_?[a-z][a-z0-9_]*$", oneof.Name));
        }
    }

    /// <summary>Zero must not mean strength 0 or temperature 0.</summary>
    [Fact]
    public void Every_tunable_tells_not_set_from_zero() => Assert.All(
        GenerationOptions.Descriptor.Fields.InDeclarationOrder().Where(field => !field.IsRepeated), field =>
            Assert.True(field.HasPresence, field.Name));
}
