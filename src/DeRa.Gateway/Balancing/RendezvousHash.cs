using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace DeRa.Gateway.Balancing;

/// <summary>
/// Rendezvous hashing (highest random weight; Thaler and Ravishankar, 1998): each pair of a key and a replica has a number, and a key comes
/// first to the replica with the highest. A replica that goes moves only its own keys, one that comes takes its part of all others'.
/// The numbers are the same in each process: gateways side by side agree.
/// </summary>
public static class RendezvousHash
{
    /// <summary>A replica's id, from its name.</summary>
    public static ulong OfName(string name) => BinaryPrimitives.ReadUInt64LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(name)));

    /// <summary>The number of a key at a replica.</summary>
    public static ulong Score(ulong key, ulong id) => Mix(key ^ Mix(id));

    /// <summary>Finds the candidates that a key comes to, in their order.</summary>
    /// <param name="key">The key.</param>
    /// <param name="candidates">All of them.</param>
    /// <param name="order">Receives the first so many.</param>
    /// <returns>How many there are, at most <paramref name="order"/>'s length.</returns>
    public static int Order(ulong key, ReadOnlySpan<Candidate> candidates, Span<int> order)
    {
        var found = 0;
        for (var i = 0; i < candidates.Length; i++)
        {
            var score = Score(key, candidates[i].Id);
            var place = found;
            while (place > 0 && score > Score(key, candidates[order[place - 1]].Id)) place--;
            if (place == order.Length) continue;
            if (found < order.Length) found++;
            for (var moved = found - 1; moved > place; moved--) order[moved] = order[moved - 1];
            order[place] = i;
        }
        return found;
    }

    /// <summary>SplitMix64's step (Steele, Lea and Flood, 2014): each bit of the result depends on each bit of the value.</summary>
    internal static ulong Mix(ulong value)
    {
        value += 0x9E3779B97F4A7C15;
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }
}
