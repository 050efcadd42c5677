using DeRa.Testing;
using Xunit;

namespace DeRa.Hub.Tests;

public class HubOptionsTests
{
    private static HubOptions Read(params (string Name, string Value)[] variables) =>
        HubOptions.FromEnvironment(name => variables.FirstOrDefault(variable => variable.Name == name).Value, "/home/me");

    [Theory]
    [InlineData("/home/me/.cache/huggingface/hub")]
    [InlineData("/x/huggingface/hub", "XDG_CACHE_HOME=/x")]
    [InlineData("/h/hub", "HF_HOME=/h", "XDG_CACHE_HOME=/x")]
    [InlineData("/home/me/h/hub", "HF_HOME=~/h")]
    [InlineData("/data/me/h/hub", "HF_HOME=$BASE/me/${LAST}", "BASE=/data", "LAST=h")]
    [InlineData("/old", "HUGGINGFACE_HUB_CACHE=/old", "HF_HOME=/h")]
    [InlineData("/c", "HF_HUB_CACHE=/c", "HUGGINGFACE_HUB_CACHE=/old", "HF_HOME=/h")]
    [InlineData("/home/me/.cache/huggingface/hub", "HF_HOME=")]
    public void The_cache_is_where_Python_has_it(string expected, params string[] variables) =>
        Assert.Equal(expected, Read([.. variables.Select(text => (text.Split('=')[0], text.Split('=')[1]))]).CacheFolder);

    [Fact]
    public void A_home_that_is_not_there_is_still_where_the_cache_belongs()
    {
        string[] names = ["HOME", "USERPROFILE", "HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "XDG_CACHE_HOME"];
        var before = names.ToDictionary(name => name, Environment.GetEnvironmentVariable);
        try
        {
            foreach (var name in names) Environment.SetEnvironmentVariable(name, null);
            Environment.SetEnvironmentVariable("HOME", "/nonexistent");
            Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows does not take it from HOME");
            Assert.Equal("/nonexistent/.cache/huggingface/hub", HubOptions.FromEnvironment().CacheFolder);
        }
        finally
        {
            foreach (var (name, value) in before) Environment.SetEnvironmentVariable(name, value);
        }
    }

    [Fact]
    public void The_token_comes_from_the_variable_and_else_from_the_file()
    {
        using var home = new TemporaryFolder();
        Assert.Null(Read(("HF_HOME", home.Path)).Token);
        home.Write("token", "hf_file\n");
        Assert.Equal("hf_file", Read(("HF_HOME", home.Path)).Token);
        Assert.Equal("hf_variable", Read(("HF_HOME", home.Path), ("HF_TOKEN", " hf_variable\n")).Token);
        Assert.Equal("hf_other", Read(("HF_HOME", home.Path), ("HF_TOKEN_PATH", home.Write("other", "hf_other"))).Token);
    }

    [Fact]
    public void A_token_that_cannot_be_one_is_refused_and_not_shown()
    {
        var refused = Assert.Throws<HubException>(() => Read(("HF_TOKEN", "hf_sec ret")));
        Assert.Contains("HF_TOKEN", refused.Message);
        Assert.DoesNotContain("ret\"", refused.Message);
        Assert.DoesNotContain("hf_sec", refused.Message);
    }

    [Theory]
    [InlineData("1", true)]
    [InlineData("true", true)]
    [InlineData("Yes", true)]
    [InlineData("ON", true)]
    [InlineData("0", false)]
    [InlineData("", false)]
    [InlineData("no", false)]
    public void Offline_is_what_Python_reads_as_true(string value, bool expected) =>
        Assert.Equal(expected, Read(("HF_HUB_OFFLINE", value)).IsOffline);

    [Theory]
    [InlineData("https://hub.example/mirror/", "https://hub.example/mirror")]
    [InlineData("http://localhost:8080", "http://localhost:8080/")]
    public void The_endpoint_may_be_another(string text, string expected) =>
        Assert.Equal(new Uri(expected), Read(("HF_ENDPOINT", text)).Endpoint);

    [Theory]
    [InlineData("hub.example")]
    [InlineData("ftp://hub.example")]
    public void An_endpoint_that_is_no_address_is_refused(string text) =>
        Assert.Contains($"HF_ENDPOINT is '{text}'", Assert.Throws<HubException>(() => Read(("HF_ENDPOINT", text))).Message);
}
