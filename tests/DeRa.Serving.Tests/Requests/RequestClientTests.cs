using DeRa.Serving.Requests;
using DeRa.Testing;
using Xunit;

namespace DeRa.Serving.Tests.Requests;

public class RequestClientTests
{
    [Fact]
    public void Without_owner_and_salt_there_is_no_salt() => Assert.Null(new RequestClient("connection", null).Salt(null));

    [Fact]
    public void Each_owner_with_each_salt_has_a_salt_of_its_own()
    {
        string?[] owners = [null, "a", "b", "ab", "a:b", "1:a", "a|b", "1", "-"];
        string?[] salts = [null, "a", "b", "ab", "b|c", "a:b", ":a", "1:a", "1", "-"];
        List<string?> all = [.. owners.SelectMany(owner => salts.Select(salt => new RequestClient("x", owner).Salt(salt)))];
        Assert.Equal(all.Count, all.Distinct().Count());
    }

    [Fact]
    public void The_same_owner_and_salt_give_the_same_whatever_the_client_s_name() =>
        Assert.Equal(new RequestClient("one", "alice").Salt("x"), new RequestClient("two", "alice").Salt("x"));

    [Fact]
    public void A_request_becomes_its_client_s_in_every_choice()
    {
        using var fixture = new EngineFixture(new ScriptedExecutor());
        var prepared = fixture.Validator.Prepare(
            new GenerationInput { N = 2, Prompts = [new TextPrompt("a"), new TextPrompt("b")], CacheSalt = "x" });
        Assert.All(prepared.Choices, choice => Assert.Equal(("", "x"), (choice.Request.Client, choice.Request.CacheSalt)));
        var owner = new RequestClient("alice", "alice");
        var own = prepared.For(owner);
        Assert.All(own.Choices, choice => Assert.Equal(("alice", owner.Salt("x")), (choice.Request.Client, choice.Request.CacheSalt)));
        Assert.Equal(prepared.Choices.Select(choice => choice.Request.PromptTokens),
            own.Choices.Select(choice => choice.Request.PromptTokens));
    }
}
