using DeRa.Cli;
using DeRa.Torch.Native;

// The gateway ends by itself, in its own time.
if (GatewayCommand.IsMeant(args)) return await Commands.RunAsync(args, Console.Out, Console.Error);
return await Interruption.RunAsync(stop => Commands.RunAsync(args, Console.Out, Console.Error, stop));
