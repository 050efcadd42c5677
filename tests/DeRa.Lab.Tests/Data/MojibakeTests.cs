using System.Text;
using DeRa.Lab.Data;
using Xunit;

namespace DeRa.Lab.Tests.Data;

public sealed class MojibakeTests
{
    private const string Meant = "“Olé!” said Señor Fox – it’s ‘fun’ — and… £5 «so»\u00a0é";

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void What_was_read_in_the_wrong_encoding_once_or_twice_is_undone(int times)
    {
        var read = Meant;
        for (var i = 0; i < times; i++) read = ReadAsWindows1252(read);
        Assert.NotEqual(Meant, read);
        Assert.Equal(Meant, Mojibake.Undo(read));
    }

    [Theory]
    [InlineData("â€œHi,â€ she said. â€œLetâ€™s go!â€", "“Hi,” she said. “Let’s go!”")]
    [InlineData("stop!â€â€œno", "stop!”“no")]
    [InlineData("say 'muã±eca' and â«hiâ»", "say 'muñeca' and «hi»")]
    public void Lost_bytes_and_lower_case_are_undone_too(string read, string meant) => Assert.Equal(meant, Mojibake.Undo(read));

    [Theory]
    [InlineData(Meant)]
    [InlineData("A crème brûlée in a “café”, über “São” château’s")]
    [InlineData("plain")]
    [InlineData("ends with â")]
    [InlineData("â€x")]
    public void Text_stays_as_it_is(string text) =>
        Assert.Equal(text.Replace("â€x", "”x", StringComparison.Ordinal), Mojibake.Undo(text));

    private static string ReadAsWindows1252(string text) =>
        CodePagesEncodingProvider.Instance.GetEncoding(1252)!.GetString(Encoding.UTF8.GetBytes(text));
}
