using DeRa.Testing.Hub;
using Xunit;

namespace DeRa.Server.Tests;

[CollectionDefinition(HubEnvironment.Collection, DisableParallelization = true)]
public sealed class HubEnvironmentCollection;
