using System.Text;
using Xunit;

namespace DeRa.Hub.Tests;

/// <summary>HF_ENDPOINT=http://USER:PASSWORD@HOST/PATH, as artifact proxies are named.</summary>
public class EndpointUserTests
{
    private const string User = "me%40work", Password = "p%3As%2Fs%C3%A9%25";
    private static readonly string s_basic = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes("me@work:p:s/sé%"));

    private static HubModels Models(HubFixture fixture, string userInfo = $"{User}:{Password}", string? token = null) => new(
        new HubOptions
        {
            Endpoint = new Uri(With(fixture, userInfo)),
            CacheFolder = fixture.Cache,
            Token = token,
        }, fixture.Time);

    private static string With(HubFixture fixture, string userInfo) =>
        $"http://{userInfo}@{fixture.Hub.Address.Authority}{fixture.Hub.Prefix}/";

    private static async Task<string> ResolveAsync(HubModels models)
    {
        using (models) return await models.ResolveAsync("org/model", cancellation: TestContext.Current.CancellationToken);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("hf_token")]
    public async Task The_user_goes_to_the_endpoint_as_Basic_authentication_and_to_no_other_host(string? token)
    {
        await using var fixture = new HubFixture();
        fixture.Hub.Prefix = "/repository/hf";
        Assert.Equal(fixture.Snapshot, await ResolveAsync(Models(fixture, token: token)));
        Assert.All(fixture.Hub.HubRequests, request => Assert.Equal(s_basic, request.Authorization));
        Assert.Null(Assert.Single(fixture.Hub.StorageRequests).Authorization);
    }

    [Theory]
    [InlineData("key", "key:")]
    [InlineData("key:", "key:")]
    [InlineData(":tok", ":tok")]
    public async Task A_user_or_a_password_may_be_missing(string userInfo, string sent)
    {
        await using var fixture = new HubFixture();
        await ResolveAsync(Models(fixture, userInfo));
        var basic = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes(sent));
        Assert.All(fixture.Hub.HubRequests, request => Assert.Equal(basic, request.Authorization));
    }

    [Theory]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(404)]
    [InlineData(418)]
    public async Task A_refusal_shows_neither_user_nor_password(int status)
    {
        await using var fixture = new HubFixture();
        fixture.Hub.NextStatus("listing", status);
        var refused = await Assert.ThrowsAsync<HubException>(() => ResolveAsync(Models(fixture, "alice:secret", "hf_token")));
        foreach (var secret in (string[])["alice", "secret", "hf_token"]) Assert.DoesNotContain(secret, refused.ToString());
        if (status == 401) Assert.Contains("does not accept the user and password in HF_ENDPOINT; HF_TOKEN is not sent", refused.Message);
    }

    [Theory]
    [InlineData("htp://alice:secret@host")]
    [InlineData("http://alice:sec/ret@host:x")]
    [InlineData("http://alice:sec#ret@host")]
    [InlineData("http://alice:sec?ret@host")]
    [InlineData("alice:secret@host")]
    [InlineData("http://alice%3Ax:secret@host")]
    [InlineData("http://alice:secret%0A@host")]
    public void An_endpoint_that_cannot_be_used_is_refused_and_not_shown(string text)
    {
        var refused = Assert.Throws<HubException>(() =>
            HubOptions.FromEnvironment(name => name == "HF_ENDPOINT" ? text : null, "/home/me"));
        Assert.Contains("HF_ENDPOINT", refused.Message);
        foreach (var secret in (string[])["alice", "secret", "sec", "ret@"]) Assert.DoesNotContain(secret, refused.ToString());
    }

    [Theory]
    [InlineData("http://hub.example", "http://hub.example/x", true)]
    [InlineData("http://hub.example", "https://hub.example/x", true)]
    [InlineData("http://hub.example:8080", "https://hub.example/x", false)]
    [InlineData("https://hub.example", "https://cdn.hub.example", false)]
    [InlineData("https://hub.example", "https://hub.example:444", false)]
    [InlineData("https://hub.example", "http://hub.example", false)]
    public void Who_may_know_the_password(string endpoint, string address, bool expected) =>
        Assert.Equal(expected, HubClient.IsSame(new Uri(endpoint), new Uri(address)));

    [Fact]
    public async Task A_wait_for_another_try_is_told_without_secrets()
    {
        await using var fixture = new HubFixture();
        fixture.Hub.NextStatus("listing", 503);
        var notices = new List<string>();
        var options = new HubOptions { Endpoint = new Uri(With(fixture, "alice:secret")), CacheFolder = fixture.Cache };
        using var models = new HubModels(options, fixture.Time) { Notice = notices.Add };
        await models.ResolveAsync("org/model", cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(2, notices.Count);
        Assert.Equal("org/model: asking 127.0.0.1 what it holds.", notices[0]);
        Assert.Matches(@"^'org/model': 127\.0\.0\.1 answered 503\. Trying again in \d+ s \(1 of 5\)\.$", notices[1]);
    }
}
