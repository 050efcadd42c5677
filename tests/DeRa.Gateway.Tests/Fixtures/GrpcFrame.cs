using System.Buffers.Binary;

namespace DeRa.Gateway.Tests.Fixtures;

/// <summary>A message as gRPC sends it: whether it is compressed, its length, itself.</summary>
internal static class GrpcFrame
{
    public static byte[] Of(byte[] message, bool isCompressed = false)
    {
        byte[] frame = [isCompressed ? (byte)1 : (byte)0, 0, 0, 0, 0, .. message];
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), message.Length);
        return frame;
    }
}
