using DeRa.Gateway.Composition;

return await GatewayProgram.RunAsync(args, Environment.GetEnvironmentVariables(), Console.Out, Console.Error);
