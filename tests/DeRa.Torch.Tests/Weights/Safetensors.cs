using System.Buffers.Binary;
using System.Text;

namespace DeRa.Torch.Tests.Weights;

/// <summary>Builds safetensors files, broken ones too.</summary>
internal static class Safetensors
{
    public static byte[] Build(string header, int dataBytes) => Build(header, new byte[dataBytes]);

    public static byte[] Build(string header, byte[] data)
    {
        var json = Encoding.UTF8.GetBytes(header);
        var file = new byte[8 + json.Length + data.Length];
        BinaryPrimitives.WriteUInt64LittleEndian(file, (ulong)json.Length);
        json.CopyTo(file, 8);
        data.CopyTo(file, 8 + json.Length);
        return file;
    }

    /// <summary>A valid header's entry.</summary>
    public static string Entry(string name, string type, string shape, long begin, long end) =>
        $"\"{name}\":{{\"dtype\":\"{type}\",\"shape\":[{shape}],\"data_offsets\":[{begin},{end}]}}";
}
