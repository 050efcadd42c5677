using System.Text;
using DeRa.Hosting.Options;
using DeRa.Hosting.Security;

namespace DeRa.Gateway.Replicas;

/// <summary>Replicas from a file, an address a line, which is read again when it changes.</summary>
public static class ReplicaFile
{
    private const string Option = "replica-file";

    /// <summary>Reads it for the first time.</summary>
    /// <param name="path">The file.</param>
    /// <param name="set">Receives its addresses, now and later.</param>
    /// <returns>What reads it again.</returns>
    /// <exception cref="OptionException">It cannot be read, or holds what is no address.</exception>
    public static ReloadedFiles Open(string path, ReplicaSet set) =>
        new([new OptionFile(Option, path)], contents => set.Set(path, [.. Parse(path, contents[0])]));

    private static IEnumerable<ReplicaAddress> Parse(string path, byte[] content) =>
        from line in Encoding.UTF8.GetString(content).Split('\n').Index()
        let text = line.Item.Split('#')[0].Trim()
        where text.Length > 0
        select ReplicaAddress.Parse(text, $"{path} (--{Option}), line {line.Index + 1},");
}
