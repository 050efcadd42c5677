using DeRa.Testing.Hub;
using Xunit;

namespace DeRa.Hub.Tests;

public class AccessTests
{
    private const string Token = "hf_secret", Bearer = "Bearer hf_secret";

    [Fact]
    public async Task The_token_goes_to_the_Hub_and_never_to_where_it_redirects()
    {
        await using var fixture = new HubFixture();
        await fixture.ResolveAsync(token: Token);
        Assert.All(fixture.Hub.HubRequests, request => Assert.Equal(Bearer, request.Authorization));
        Assert.Null(Assert.Single(fixture.Hub.StorageRequests).Authorization);
    }

    [Fact]
    public async Task A_redirect_within_the_Hub_keeps_the_token()
    {
        await using var fixture = new HubFixture();
        fixture.Hub.FormerName = "renamed/model";
        await fixture.ResolveAsync("renamed/model", Token);
        Assert.Equal(8, fixture.Hub.HubRequests.Count);
        Assert.All(fixture.Hub.HubRequests, request => Assert.Equal(Bearer, request.Authorization));
        Assert.Null(Assert.Single(fixture.Hub.StorageRequests).Authorization);
    }

    [Fact]
    public async Task Redirects_without_end_are_given_up()
    {
        await using var fixture = new HubFixture();
        fixture.Hub.NextStatus("config.json", 302, times: 20, ("Location", "/loop/config.json"));
        Assert.Contains("redirects", await fixture.FailureAsync());
    }

    [Theory]
    [InlineData("file:///etc/passwd", "file://")]
    [InlineData("ftp://127.0.0.1/model", "ftp://127.0.0.1")]
    public async Task A_redirect_to_what_is_not_the_web_is_refused(string target, string named)
    {
        await using var fixture = new HubFixture();
        fixture.Hub.NextStatus("config.json", 302, headers: ("Location", target));
        Assert.Contains($"redirects to {named}, which is not followed", await fixture.FailureAsync());
    }

    [Fact]
    public async Task A_redirect_to_nowhere_is_told()
    {
        await using var fixture = new HubFixture();
        fixture.Hub.NextStatus("config.json", 302, headers: ("Location", "//"));
        Assert.Contains("answered 302", await fixture.FailureAsync());
    }

    [Theory]
    [InlineData("https://hub.example", "https://cdn.example", true)]
    [InlineData("https://hub.example", "http://cdn.example", false)]
    [InlineData("https://hub.example", "http://hub.example", false)]
    [InlineData("http://localhost:80", "http://localhost:81", true)]
    [InlineData("http://localhost:80", "https://cdn.example", true)]
    public void A_redirect_never_leaves_https(string from, string target, bool expected) =>
        Assert.Equal(expected, HubClient.MayFollow(new Uri(from), new Uri(target)));

    [Fact]
    public async Task A_file_that_is_listed_and_not_there_is_named()
    {
        await using var fixture = new HubFixture();
        fixture.Hub.NextStatus("config.json", 404, headers: ("X-Error-Code", "EntryNotFound"));
        Assert.Contains("lists config.json, but does not have it", await fixture.FailureAsync());
    }

    [Fact]
    public async Task Without_a_token_none_is_sent()
    {
        await using var fixture = new HubFixture();
        await fixture.ResolveAsync();
        Assert.All(fixture.Hub.HubRequests, request => Assert.Null(request.Authorization));
    }

    [Theory]
    [InlineData(401, "GatedRepo", null)]
    [InlineData(403, "GatedRepo", Token)]
    [InlineData(403, "", Token)]
    public async Task A_gated_model_says_where_its_terms_are_and_what_to_set(int status, string code, string? token)
    {
        await using var fixture = new HubFixture();
        fixture.Hub.NextStatus("config.json", status, headers: ("X-Error-Code", code));
        var message = await fixture.FailureAsync(token: token);
        Assert.Contains("accept its terms", message);
        Assert.Contains($"{fixture.Hub.Address}org/model", message);
        Assert.Contains("set HF_TOKEN", message);
        Assert.DoesNotContain(Token, message);
        Assert.Empty(fixture.Time.Waits);
    }

    [Fact]
    public async Task A_password_in_the_endpoint_is_not_shown()
    {
        await using var fixture = new HubFixture();
        fixture.Hub.NextStatus("config.json", 403, headers: ("X-Error-Code", "GatedRepo"));
        using var models = new HubModels(new HubOptions
        {
            Endpoint = new UriBuilder(fixture.Hub.Address) { UserName = "me", Password = "secret" }.Uri,
            CacheFolder = fixture.Cache,
        }, fixture.Time);
        var refused = await Assert.ThrowsAsync<HubException>(
            () => models.ResolveAsync("org/model", cancellation: TestContext.Current.CancellationToken));
        Assert.Contains($"{fixture.Hub.Address}org/model", refused.Message);
        Assert.DoesNotContain("secret", refused.ToString());
    }

    [Fact]
    public async Task A_Hub_that_cannot_be_reached_is_named_and_so_is_the_model()
    {
        await using var fixture = new HubFixture();
        fixture.Hub.Next("listing", context => { context.Abort(); return Task.CompletedTask; }, times: HubRetries.Most + 1);
        Assert.StartsWith($"'org/model': {fixture.Hub.Address.Host} does not respond: ", await fixture.FailureAsync());
    }

    [Theory]
    [InlineData("listing")]
    [InlineData("config.json")]
    public async Task A_stop_ends_the_wait_for_an_answer(string path)
    {
        await using var fixture = new HubFixture();
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        fixture.Hub.Next(path, context => { cancel.Cancel(); return FakeHub.UntilGone(context); });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => fixture.Models().ResolveAsync("org/model", null, null, cancel.Token));
    }

    [Fact]
    public async Task A_name_that_the_Hub_does_not_know_is_told_as_it_was_given()
    {
        await using var fixture = new HubFixture();
        Assert.Contains("no model of that name", await fixture.FailureAsync("org/modle"));
        Assert.Contains("'org/modle'", await fixture.FailureAsync("org/modle"));
    }

    [Fact]
    public async Task The_Hubs_401_for_unknown_names_says_both_that_it_may_mean()
    {
        await using var fixture = new HubFixture();
        fixture.Hub.NextStatus("listing", 401, headers: ("X-Error-Code", "RepoNotFound"));
        var message = await fixture.FailureAsync("org/modle");
        Assert.Contains("no model of that name", message);
        Assert.Contains("HF_TOKEN", message);
    }

    [Fact]
    public async Task A_token_that_is_not_accepted_is_said_and_not_shown()
    {
        await using var fixture = new HubFixture();
        fixture.Hub.NextStatus("listing", 401);
        var message = await fixture.FailureAsync(token: Token);
        Assert.Contains("does not accept the HF_TOKEN", message);
        Assert.DoesNotContain(Token, message);
    }

    [Fact]
    public async Task A_revision_that_is_not_there_is_named()
    {
        await using var fixture = new HubFixture();
        Assert.Contains("'org/model' has no revision 'v9'", await fixture.FailureAsync("org/model@v9"));
    }

    [Fact]
    public async Task Pickle_weights_are_refused_with_how_to_convert_them()
    {
        await using var fixture = new HubFixture();
        fixture.Hub.Remove("model.safetensors");
        fixture.Hub.Add("pytorch_model.bin", "pickle");
        var message = await fixture.FailureAsync();
        Assert.Contains("pytorch_model.bin", message);
        Assert.Contains("from_pretrained('org/model'", message);
        Assert.Equal("listing", Assert.Single(fixture.Hub.HubRequests).Path);
    }

    [Theory]
    [InlineData("model.safetensors", "no weights")]
    [InlineData("config.json", "neither config.json nor adapter_config.json")]
    public async Task A_repository_without_a_model_says_what_it_lacks(string without, string said)
    {
        await using var fixture = new HubFixture();
        fixture.Hub.Remove(without);
        Assert.Contains(said, await fixture.FailureAsync());
    }
}
