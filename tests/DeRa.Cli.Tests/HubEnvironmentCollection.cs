using DeRa.Testing.Hub;
using Xunit;

namespace DeRa.Cli.Tests;

[CollectionDefinition(HubEnvironment.Collection, DisableParallelization = true)]
public sealed class HubEnvironmentCollection;
