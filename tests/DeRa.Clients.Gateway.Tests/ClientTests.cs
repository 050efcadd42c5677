using System.Runtime.CompilerServices;
using DeRa.Testing.Server;

// The tests of DeRa.Clients.Tests, each class by its name, once more: here every server that they start has a gateway in front of it.
namespace DeRa.Clients.Gateway.Tests
{
    public class DefaultPairTests : Clients.Tests.DefaultPairTests;

    public class ExtensionsAITests : Clients.Tests.ExtensionsAITests;

    public class GeneratedClientTests : Clients.Tests.GeneratedClientTests;

    public class GrpcJavaScriptTests : Clients.Tests.GrpcJavaScriptTests;

    public class OpenAIDotNetTests : Clients.Tests.OpenAIDotNetTests;

    public class OpenAIJavaScriptTests : Clients.Tests.OpenAIJavaScriptTests;

    public class SecurityTests : Clients.Tests.SecurityTests;

    internal static class Servers
    {
        [ModuleInitializer]
        internal static void StartBehindGateways() => ServerFixture.IsBehindGateway = true;
    }
}

namespace DeRa.Clients.Gateway.Tests.Own
{
    public class ChatTests : Clients.Tests.Own.ChatTests;

    public class DefaultPairTests : Clients.Tests.Own.DefaultPairTests;

    public class RefusalTests : Clients.Tests.Own.RefusalTests;

    public class RewardTests : Clients.Tests.Own.RewardTests;

    public class RunningStreamTests : Clients.Tests.Own.RunningStreamTests;

    public class ScoreTests : Clients.Tests.Own.ScoreTests;
}
