using DeRa.Server.Composition;

return await ServerProgram.RunAsync(
    args, Environment.GetEnvironmentVariables(), PairStartup.For, Console.Out, Console.Error);
