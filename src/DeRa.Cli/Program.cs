using DeRa.Cli;
using DeRa.Torch.Native;

// A server or a gateway ends by itself, in its own time.
if (ServerCommand.IsMeant(args) || GatewayCommand.IsMeant(args))
    return await Commands.RunAsync(args, Console.Out, Console.Error);
return await Interruption.RunAsync((interruption, stop) => Commands.RunAsync(args, Console.Out, Console.Error, interruption, stop));
