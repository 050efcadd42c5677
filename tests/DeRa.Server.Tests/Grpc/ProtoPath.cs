using System.Text.RegularExpressions;
using Google.Protobuf.Reflection;

namespace DeRa.Server.Tests.Grpc;

/// <summary>Finds what a violation names in the message that was sent.</summary>
internal static class ProtoPath
{
    /// <summary>Whether a path such as <c>options.stop[2]</c> leads to a field; what follows a map's or a struct's name is a key.</summary>
    public static bool Exists(MessageDescriptor message, string path)
    {
        var parts = Regex.Replace(path, @"\[\d+\]", "").Split('.', 2);
        if (message.FindFieldByName(parts[0]) is not { } field) return message.Oneofs.Any(choice => choice.Name == path);
        if (parts.Length == 1 || field.IsMap) return true;
        return field.FieldType == FieldType.Message
            && (field.MessageType.File.Package == "google.protobuf" || Exists(field.MessageType, parts[1]));
    }
}
