using DeRa.Lab.Reports;
using DeRa.Serving.Statistics;
using Xunit;

namespace DeRa.Lab.Tests.Reports;

public sealed class ResultTableTests
{
    private readonly ResultTable _table = new ResultTable("who", "tokens", "reward")
        .Add("DeRa", 40, new Interval(-.123456, -.2, -.05))
        .Add("retrained, \"hard\"", 5, new Interval(-1, -1, -1));

    [Fact]
    public void Text_columns_are_aligned() => Assert.Equal(
        """
        who                tokens                 reward
        DeRa                   40  -0.1235 [-0.2, -0.05]
        retrained, "hard"       5            -1 [-1, -1]

        """.ReplaceLineEndings(), _table.ToText());

    [Fact]
    public void CSV_has_all_digits_and_three_columns_for_an_interval() => Assert.Equal(
        "who,tokens,reward,reward_low,reward_high\r\nDeRa,40,-0.123456,-0.2,-0.05\r\n\"retrained, \"\"hard\"\"\",5,-1,-1,-1\r\n",
        _table.ToCsv());

    [Fact]
    public void A_row_has_a_cell_for_each_column() => Assert.Throws<ArgumentException>(() => _table.Add("DeRa", 1));
}
