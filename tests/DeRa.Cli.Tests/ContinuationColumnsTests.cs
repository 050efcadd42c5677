using System.Threading.Channels;
using DeRa.Cli.Columns;
using Xunit;

namespace DeRa.Cli.Tests;

public class ContinuationColumnsTests
{
    [Fact]
    public async Task A_line_of_all_columns_is_written_as_soon_as_each_has_it()
    {
        var output = new StringWriter { NewLine = "\n" };
        var (left, right) = (Channel.CreateUnbounded<string>(), Channel.CreateUnbounded<string>());
        var writing = new ContinuationColumns(output, [("λ = 0", left.Reader), ("λ = 1", right.Reader)], width: 8)
            .WriteAsync("Once", TestContext.Current.CancellationToken);
        const string head = "Once\n\nλ = 0     λ = 1\n";
        Assert.Equal(head, output.ToString());
        foreach (var piece in (string[])[" upon", " a time", " a dog", " ran."]) left.Writer.TryWrite(piece);
        right.Writer.TryWrite(" there was");
        right.Writer.TryWrite(" a");
        right.Writer.Complete();
        left.Writer.Complete();
        await writing;
        Assert.Equal(head + "upon a    there\ntime a    was a\ndog ran.\n", output.ToString());
    }

    [Fact]
    public async Task A_fault_of_one_ends_all()
    {
        var output = new StringWriter();
        var (left, right) = (Channel.CreateUnbounded<string>(), Channel.CreateUnbounded<string>());
        var writing = new ContinuationColumns(output, [("a", left.Reader), ("b", right.Reader)], width: 8)
            .WriteAsync("Once", TestContext.Current.CancellationToken);
        left.Writer.Complete(new InvalidDataException("broken"));
        right.Writer.Complete();
        Assert.Equal("broken", (await Assert.ThrowsAsync<InvalidDataException>(() => writing)).Message);
    }
}
